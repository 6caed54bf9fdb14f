"""The scenario model: closed forms, figures by hand, and steady ones over seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, binom, norm

from buttress.risk.catalogue import Barrier, Range, Risk, RiskAssumptions, Scanner, load_catalogue
from buttress.risk.inputs import after_clean_inspection, from_trials
from buttress.risk.loss import inputs, of_risk, summary
from buttress.risk.posterior import TrialEvidence, posterior_rate
from buttress.risk.scenario import Evidence, InspectionEvidence, Losses, barrier_input, simulate
from buttress.statistics.correction import CalibrationCounts

Z90 = norm.ppf(0.95)
RISK = Risk(
    id="harm",
    title="t",
    scenario="s",
    actor="a",
    harm="h",
    level=3,
    loss=(1000.0, 5000.0),
    per_request=(0.0001, 0.001),
    per_year=None,
    barriers=(
        Barrier("refusal", "refuses", (0.05, 0.3), "asks"),
        Barrier("impact", "no impact", (0.01, 0.1)),
    ),
    standards=(),
    remedies=(),
)


def lognormal_mean(low: float, high: float) -> float:
    sigma = np.log(high / low) / 2 / Z90
    return float(np.sqrt(low * high) * np.exp(sigma**2 / 2))


def loss_mean(median: float, p95: float) -> float:
    return float(median * np.exp((np.log(p95 / median) / Z90) ** 2 / 2))


def logit_mean(bounds: Range) -> float:
    low, high = np.log(bounds) - np.log1p(-np.array(bounds))
    middle, sd = (low + high) / 2, (high - low) / 2 / Z90
    return float(quad(lambda x: norm.pdf(x, middle, sd) / (1 + np.exp(-x)), -30, 30)[0])


MODEL = replace(load_catalogue().model, cap=1e9, shared_cause=0.0, common=0.0)


def run(*risks: Risk, evidence: dict[str, Evidence] | None = None, requests: float = 1.0,
        model: RiskAssumptions = MODEL, seed: int = 1, worlds: int = 256) -> Losses:  # fmt: skip
    return simulate(list(risks), evidence or {}, requests, model, seed=seed, worlds=worlds)


@pytest.mark.parametrize("requests", [20.0, 1000.0, 100_000.0])
def test_the_mean_is_frequency_times_barriers_times_loss(requests: float) -> None:
    frequency = lognormal_mean(0.0001, 0.001) * requests * 365
    failure = logit_mean((0.05, 0.3)) * logit_mean((0.01, 0.1))
    expected = frequency * failure * loss_mean(*RISK.loss)
    assert run(RISK, requests=requests).means[0] == pytest.approx(expected, rel=0.002)


def test_the_mean_is_that_of_the_worlds_too() -> None:
    losses = run(RISK, requests=1000.0, worlds=4096)
    simulated = losses.rates[:, 0].mean() * losses.severities[0].mean
    assert simulated == pytest.approx(losses.means[0], rel=0.02)


def test_a_shared_cause_by_hand() -> None:
    """Barriers that fail with 0.1 and 0.01: (1 - β) 0.001 + β 0.01."""
    barriers = (Barrier("a", "a", (0.1, 0.1)), Barrier("b", "b", (0.01, 0.01)))
    risk = replace(fixed(1.0), barriers=barriers, per_year=(4.0, 4.0))
    for beta_factor in (0.0, 0.02, 1.0):
        losses = run(risk, model=replace(MODEL, shared_cause=beta_factor))
        expected = 4 * ((1 - beta_factor) * 0.001 + beta_factor * 0.01)
        assert losses.rates[:, 0] == pytest.approx(np.full(256, expected), rel=1e-6)
        assert losses.scenarios[0].mean_rate == pytest.approx(expected, rel=0.02)


def fixed(per_year: float, loss: Range = (1000.0, 20_000.0)) -> Risk:
    """Exactly that many incidents a year in the mean."""
    barrier = Barrier("b", "b", (0.5, 0.5))
    return replace(
        RISK, per_request=None, per_year=(2 * per_year,) * 2, barriers=(barrier,), loss=loss
    )  # fmt: skip


def test_a_frequency_is_at_most_once_a_request() -> None:
    always = replace(RISK, per_request=(0.9, 1.0), barriers=(Barrier("b", "b", (0.5, 0.5)),),
                     loss=(10.0, 10.0))  # fmt: skip
    assert run(always).means[0] <= 365 * 0.5 * 10 * 1.01


def test_evidence_replaces_the_prior() -> None:
    known: dict[str, dict[str, Evidence]] = {
        "none": {},
        "other": {"elsewhere": TrialEvidence(100, 100)},
        "good": {"asks": TrialEvidence(10_000, 10)},
        "bad": {"asks": TrialEvidence(10_000, 9000)},
        "found": {"asks": InspectionEvidence("critical")},
    }
    losses = {name: run(RISK, evidence=evidence) for name, evidence in known.items()}
    means = {name: float(one.means[0]) for name, one in losses.items()}
    assert means["none"] == means["other"]
    assert means["bad"] / means["good"] == pytest.approx(9000.5 / 10.5, rel=0.01)
    assert means["good"] < 0.02 * means["none"]
    assert means["found"] > means["none"]
    measured = {name: one.scenarios[0].measured for name, one in losses.items()}
    assert measured == {"none": False, "other": False, "good": True, "bad": True, "found": True}


def test_a_clean_inspection_is_worth_what_the_scanner_finds() -> None:
    """By hand: prior 0.2, recall 0.9, no false alarms: 0.02 / 0.82. A blind one says nothing."""
    prior = (0.2, 0.2)
    good = after_clean_inspection("b", prior, Scanner(9e6, 1e7, 0, 1e7))
    assert good.mean == pytest.approx(0.02 / 0.82, rel=1e-3)
    blind = after_clean_inspection("b", prior, Scanner(0, 1e7, 0, 1e7))
    assert blind.mean == pytest.approx(0.2, rel=1e-3)
    noisy = after_clean_inspection("b", prior, Scanner(5e6, 1e7, 5e6, 1e7))
    assert noisy.mean == pytest.approx(0.2, rel=1e-3)  # no better than a coin
    few = after_clean_inspection("b", prior, Scanner(9, 10, 0, 10))
    assert few.at(0.95) > 2 * good.at(0.95)  # few samples leave its recall open


def test_a_range_for_clean_inspections_takes_the_place_of_the_scanners_recall() -> None:
    """Given by a file: the range itself, whatever the scanner finds and the prior was."""
    barrier = Barrier("files", "Files", (0.1, 0.3), "model-files")
    nothing = InspectionEvidence(None)
    model = load_catalogue().model
    given = replace(model, inspection={**model.inspection, "clean": (0.04, 0.04)})
    assert barrier_input(barrier, nothing, given).mean == pytest.approx(0.04)
    assert "clean" not in model.inspection
    prior = after_clean_inspection("files", (0.1, 0.3), model.scanner("model-files"))
    assert barrier_input(barrier, nothing, model).mean == pytest.approx(prior.mean)


def test_each_risk_has_a_stream_of_its_own() -> None:
    risks = [replace(risk, overlaps="") for risk in load_catalogue().risks.values()]
    alone, among = run(risks[0], seed=9), run(*risks[::-1], seed=9)
    assert (alone.rates[:, 0] == among.rates[:, -1]).all()
    assert (run(*risks[::-1], seed=9).rates == among.rates).all()
    assert (run(risks[0], seed=10).rates != alone.rates).any()
    both = run(RISK, replace(RISK, id="harm-2"), seed=9, worlds=4096).rates
    assert abs(np.corrcoef(np.log(both.T))[0, 1]) < 0.05


def test_risks_that_overlap_count_once() -> None:
    """Twice the same: together what one is. A rarer way to the same end adds nothing."""
    one = run(fixed(2.0)).means.sum()
    twins = [replace(fixed(2.0), id=name, overlaps="same") for name in ("a", "b")]
    assert run(*twins).means.sum() == pytest.approx(one)
    rarer = replace(fixed(0.5), id="c", overlaps="same")
    together = run(twins[0], rarer)
    assert together.means.sum() == pytest.approx(one)
    assert together.rates.sum(axis=1) == pytest.approx(np.full(256, 2.0))
    assert run(replace(twins[0], overlaps=""), rarer).means.sum() == pytest.approx(1.25 * one)


@pytest.mark.parametrize("seed", range(3))
def test_the_whole_catalogue_gives_finite_losses(seed: int) -> None:
    catalogue = load_catalogue()
    losses = simulate(list(catalogue.risks.values()), {}, 1e6, catalogue.model, seed=seed)
    document = summary(losses, "EUR")
    assert document["median"] <= document["p95"] <= document["p99"] <= document["cap"]
    shares = [row["share"] for row in document["sensitivity"]]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert min(row["mean"] for row in document["sensitivity"]) > 0  # none that is untested is 0
    parts = [of_risk(losses, name) for name in ("over-refusal", "harmful-compliance")]
    for part, name in zip(parts, ("over-refusal", "harmful-compliance"), strict=True):
        row = next(row for row in document["sensitivity"] if row["risk"] == name)
        assert part["mean"] == pytest.approx(row["mean"])


def test_figures_hardly_depend_on_the_seed_and_say_by_how_much() -> None:
    catalogue = load_catalogue()
    found = [
        summary(simulate(list(catalogue.risks.values()), {}, 1e3, catalogue.model, seed=n), "EUR")
        for n in range(6)
    ]
    assert len({row["mean"] for row in found}) > 1  # only by what overlaps
    for name, most in (("mean", 0.02), ("median", 0.3), ("p95", 0.3), ("p99", 0.3)):
        values = np.array([row[name] for row in found])
        assert values.max() / values.min() - 1 < most, (name, values)
    spread = np.std([row["p95"] for row in found], ddof=1)
    told = np.mean([row["error"]["p95"] for row in found])
    assert spread / 4 < told < spread * 6
    assert all(row["mean"] < row["p99"] for row in found)


def test_the_order_of_risks_under_the_defaults_survives_a_look() -> None:
    """Flattery costs less than help with harm; what is minor, less than what is severe."""
    catalogue = load_catalogue()
    losses = simulate(list(catalogue.risks.values()), {}, 1e3, catalogue.model, seed=0)
    means = dict(zip(catalogue.risks, losses.means, strict=True))
    assert means["sycophancy"] < 0.1 * means["harmful-compliance"]
    assert means["weak-conviction"] < means["deception"]
    assert means["over-refusal"] < means["harmful-compliance"]
    assert means["harmful-compliance"] < means["secret-exposure"] < 10 * means["harmful-compliance"]
    by_level = [
        np.mean([means[name] for name, risk in catalogue.risks.items() if risk.level == level])
        for level in (2, 3, 4, 5)
    ]
    assert by_level == sorted(by_level)
    assert all(risk.basis for risk in catalogue.risks.values())
    assert all(scanner.source for scanner in catalogue.model.scanners.values())


def test_the_band_holds_the_curve_and_is_as_wide_as_ignorance() -> None:
    sure, unsure = (summary(run(risk), "EUR") for risk in (fixed(3.0), spread(3.0)))
    for document in (sure, unsure):
        chances = [[p for _, p in document["band"][name]] for name in ("low", "middle", "high")]
        assert (np.diff(chances, axis=0) >= -1e-9).all()
    at_half = len(sure["exceedance"]) // 2
    assert sure["band"]["high"][at_half][1] == pytest.approx(sure["band"]["low"][at_half][1])
    assert unsure["band"]["high"][at_half][1] > 2 * unsure["band"]["low"][at_half][1]


def spread(per_year: float) -> Risk:
    """The same, but known to a factor of ten only."""
    return replace(fixed(per_year), per_year=(2 * per_year / 10**0.5, 2 * per_year * 10**0.5))


def test_the_cap_is_the_most_that_is_lost() -> None:
    document = summary(run(fixed(50.0), model=replace(MODEL, cap=1e4)), "EUR")
    assert document["p99"] <= 1e4
    assert document["beyond_cap"] > 0.9


@pytest.mark.parametrize("cap", [1e4, 1e5, 1e6])
def test_the_mean_is_that_of_a_year_that_costs_at_most_the_cap(cap: float) -> None:
    """The area under the curve, and what can be known moves it to the cap at most."""
    losses = run(fixed(50.0), spread(2.0), model=replace(MODEL, cap=cap, common=0.2))
    document = summary(losses, "EUR")
    amounts = np.linspace(cap / 4000, cap * (1 - 1e-9), 2000)
    area = losses.exceedance(amounts).mean(axis=0).mean() * cap
    assert document["mean"] == pytest.approx(area, rel=0.01)
    assert document["mean"] < cap
    assert sum(row["mean"] for row in document["sensitivity"]) == pytest.approx(document["mean"])
    for row in inputs(losses):
        assert 0 <= row["low"] <= document["mean"] * 1.001
        assert document["mean"] * 0.999 <= row["high"] <= cap
        assert row["evppi"] <= document["mean"]


def test_what_moves_the_mean_by_hand() -> None:
    """One risk, lognormal frequency: EVPPI is half the mean loss's mean absolute deviation."""
    losses = run(spread(3.0))
    row = inputs(losses)[0]
    assert (row["risk"], row["input"]) == ("harm", "frequency")
    sigma = np.log(10) / 2 / Z90
    mean = losses.means[0]
    # E|X/EX - 1| of a lognormal is 4 Φ(σ/2) - 2.
    assert row["evppi"] == pytest.approx(mean * (2 * norm.cdf(sigma / 2) - 1), rel=0.01)
    assert row["high"] == pytest.approx(mean * np.exp(sigma * Z90 - sigma**2 / 2), rel=0.01)
    assert row["low"] == pytest.approx(mean * np.exp(-sigma * Z90 - sigma**2 / 2), rel=0.02)


def test_no_loss_at_all() -> None:
    never = replace(RISK, per_request=(1e-15, 1e-15))
    document = summary(run(never), "EUR")
    assert document["mean"] < 1e-6
    assert document["exceedance"] == []
    assert of_risk(run(never), "harm")["p95"] == 0.0


def posterior_by_weighting(failures: int, trials: int, counts: CalibrationCounts) -> np.ndarray:  # type: ignore[type-arg]
    """Draws of the true rate by another way: weight draws from the priors by the likelihood."""
    rng = np.random.default_rng(5)
    size = 400_000
    e = rng.beta(0.5 + counts.tp, 0.5 + counts.fn, size)
    f = rng.beta(0.5 + counts.fp, 0.5 + counts.tn, size)
    e, f = e[e > f], f[e > f]
    low, high = beta.cdf(f, 0.5, 0.5), beta.cdf(e, 0.5, 0.5)
    judged = beta.ppf(low + rng.random(len(e)) * (high - low), 0.5, 0.5)
    weight = binom.pmf(failures, trials, judged)
    picked = rng.choice(len(e), 20_000, p=weight / weight.sum())
    rate: np.ndarray = ((judged - f) / (e - f))[picked]  # type: ignore[type-arg]
    return rate


@pytest.mark.parametrize(
    ("failures", "trials", "counts"),
    [
        (1, 100, CalibrationCounts(90, 10, 95, 5)),  # fewer than the judge's false alarms alone
        (0, 50, CalibrationCounts(45, 5, 60, 2)),
        (40, 100, CalibrationCounts(90, 10, 190, 4)),
        (95, 100, CalibrationCounts(80, 20, 95, 5)),  # more than the judge's sensitivity
        (300, 1000, CalibrationCounts(40, 10, 40, 10)),
    ],
)
def test_the_posterior_carries_the_judges_errors(
    failures: int, trials: int, counts: CalibrationCounts
) -> None:
    known = TrialEvidence(trials, failures, counts)
    drawn = posterior_rate(known, 20_000, np.random.default_rng(6))
    reference = posterior_by_weighting(failures, trials, counts)
    assert drawn.mean() == pytest.approx(reference.mean(), abs=0.006)
    for q in (0.05, 0.5, 0.95):
        assert np.quantile(drawn, q) == pytest.approx(np.quantile(reference, q), abs=0.012)


def test_the_posterior_without_judge_errors_is_jeffreys() -> None:
    drawn = posterior_rate(TrialEvidence(200, 7), 40_000, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(7.5 / 201, rel=0.02)
    assert np.quantile(drawn, 0.95) == pytest.approx(beta.ppf(0.95, 7.5, 193.5), rel=0.02)


def test_fewer_alarms_than_the_judge_alone_would_raise_is_not_proof_of_zero() -> None:
    known = TrialEvidence(100, 1, CalibrationCounts(90, 10, 95, 5))
    drawn = posterior_rate(known, 20_000, np.random.default_rng(1))
    assert 0.005 < drawn.mean() < 0.03
    assert (drawn > 0).mean() > 0.99


@pytest.mark.parametrize(
    "counts",
    [CalibrationCounts(5, 95, 50, 50), CalibrationCounts(0, 500, 400, 100)],
)
def test_a_judge_that_is_worse_than_chance_says_nothing(counts: CalibrationCounts) -> None:
    drawn = posterior_rate(TrialEvidence(1000, 3, counts), 20_000, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("failures", [0, 20_000])
def test_trials_that_contradict_the_labels(failures: int) -> None:
    """Thousands of trials far outside what the labels allow: the nearest end, not an error."""
    known = TrialEvidence(20_000, failures, CalibrationCounts(700, 300, 800, 200))
    drawn = posterior_rate(known, 5000, np.random.default_rng(1))
    assert np.isfinite(drawn).all()
    assert abs(drawn.mean() - (failures > 0)) < 0.02


@pytest.mark.parametrize(
    ("trials", "counts"),
    [(400, CalibrationCounts(90, 10, 95, 5)), (200, CalibrationCounts(90, 10, 90, 10))],
)
def test_trials_that_the_labels_make_unlikely_are_weighed_all_the_same(
    trials: int, counts: CalibrationCounts
) -> None:
    """No alarm at all where the labels let a few per cent of false ones be expected."""
    drawn = posterior_rate(TrialEvidence(trials, 0, counts), 20_000, np.random.default_rng(6))
    reference = posterior_by_weighting(0, trials, counts)
    assert drawn.mean() == pytest.approx(reference.mean(), abs=0.001)
    assert np.quantile(drawn, 0.95) == pytest.approx(np.quantile(reference, 0.95), abs=0.003)


def test_the_input_from_judged_trials_has_the_quantiles_of_its_posterior() -> None:
    known = TrialEvidence(200, 30, CalibrationCounts(tp=90, fn=10, tn=95, fp=5))
    drawn = posterior_rate(known, 200_000, np.random.default_rng(7))
    shares = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    found = from_trials("refusal", known)
    assert found.at(shares) == pytest.approx(np.quantile(drawn, shares), abs=0.01)
    assert found.mean == pytest.approx(drawn.mean(), abs=0.002)
    ends = posterior_rate(known, 8192, np.random.default_rng(1))
    assert found.values[[0, -1]] == pytest.approx(np.quantile(ends, [0.5 / 2048, 1 - 0.5 / 2048]))
