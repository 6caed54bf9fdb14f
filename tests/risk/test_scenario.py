"""The scenario model: closed forms, within the error of the simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, binom, norm

from buttress.risk.catalogue import Barrier, Range, Risk, load_catalogue
from buttress.risk.scenario import (
    Evidence,
    TrialEvidence,
    of_risk,
    posterior_rate,
    simulate,
    summary,
)
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


def close(losses: np.ndarray, expected: float) -> None:  # type: ignore[type-arg]
    error = losses.std() / np.sqrt(losses.size)
    assert abs(losses.mean() - expected) < 4 * error
    assert error < 0.1 * expected  # the test has some power


@pytest.mark.parametrize("requests", [20.0, 1000.0, 100_000.0])
def test_the_mean_is_frequency_times_barriers_times_loss(requests: float) -> None:
    """From 0.01 incidents a year to thousands: the exact sum and its approximation alike."""
    losses = simulate([RISK], {}, requests, seed=1, draws=60_000).losses[0]
    frequency = lognormal_mean(0.0001, 0.001) * requests * 365
    failure = logit_mean((0.05, 0.3)) * logit_mean((0.01, 0.1))
    close(losses, frequency * failure * loss_mean(*RISK.loss))


def fixed(per_year: float, loss: Range = (1000.0, 20_000.0)) -> Risk:
    """Exactly that many incidents a year in the mean."""
    barrier = Barrier("b", "b", (0.5, 0.5))
    return replace(
        RISK, per_request=None, per_year=(2 * per_year,) * 2, barriers=(barrier,), loss=loss
    )  # fmt: skip


@pytest.mark.parametrize("incidents", [0.2, 30.0, 190.0, 230.0, 400.0, 20_000.0])
def test_mean_variance_and_tail_of_a_year(incidents: float) -> None:
    """Compound Poisson: mean n m, variance n E[loss²]; near 200 incidents the sum is split."""
    risk = fixed(incidents)
    losses = simulate([risk], {}, 1.0, seed=2, draws=40_000).losses[0]
    sigma = np.log(20) / Z90
    mean = loss_mean(*risk.loss)
    square = risk.loss[0] ** 2 * np.exp(2 * sigma**2)
    close(losses, incidents * mean)
    assert losses.std() == pytest.approx(np.sqrt(incidents * square), rel=0.35)
    # Against drawing every incident by itself.
    chance = np.random.default_rng(3)
    counts = chance.poisson(incidents, 2000)
    exact = np.array(
        [np.exp(np.log(1000) + sigma * chance.standard_normal(n)).sum() for n in counts]
    )
    for q in (0.1, 0.5, 0.9):
        near = np.quantile(exact, [max(0, q - 0.035), min(1, q + 0.035)])
        assert near[0] <= np.quantile(losses, q) <= near[1]


def test_a_frequency_is_at_most_once_a_request() -> None:
    always = replace(RISK, per_request=(0.9, 1.0), barriers=(Barrier("b", "b", (0.5, 0.5)),),
                     loss=(10.0, 10.0))  # fmt: skip
    losses = simulate([always], {}, 1.0, seed=1).losses[0]
    assert losses.mean() <= 365 * 0.5 * 10 * 1.01


def test_evidence_replaces_the_prior() -> None:
    known: dict[str, dict[str, Evidence]] = {
        "none": {},
        "other": {"elsewhere": TrialEvidence(100, 100)},
        "good": {"asks": TrialEvidence(10_000, 10)},
        "bad": {"asks": TrialEvidence(10_000, 9000)},
        "range": {"asks": (0.9, 0.95)},
    }
    means = {
        name: simulate([RISK], evidence, 10_000.0, seed=4).losses.mean()
        for name, evidence in known.items()
    }
    assert means["none"] == means["other"]
    assert means["good"] < 0.02 * means["none"]
    assert means["bad"] > 4 * means["none"]
    ratio = means["bad"] / means["good"]
    assert ratio == pytest.approx(9000.5 / 10.5, rel=0.25)
    assert means["range"] == pytest.approx(means["bad"] * 0.928 / 0.9, rel=0.1)


def test_each_risk_has_a_stream_of_its_own() -> None:
    risks = list(load_catalogue().risks.values())
    alone = simulate(risks[:1], {}, 500.0, seed=9, draws=2000)
    among = simulate(risks[::-1], {}, 500.0, seed=9, draws=2000)
    assert (alone.losses[0] == among.losses[len(risks) - 1]).all()
    assert among.risks == tuple(risk.id for risk in risks[::-1])
    again = simulate(risks[::-1], {}, 500.0, seed=9, draws=2000)
    assert (again.losses == among.losses).all()
    other = simulate(risks[:1], {}, 500.0, seed=10, draws=2000)
    assert (other.losses[0] != alone.losses[0]).any()
    # And no two risks share theirs.
    twin = replace(RISK, id="harm-2")
    both = simulate([RISK, twin], {}, 10_000.0, seed=9).losses
    assert abs(np.corrcoef(np.log1p(both))[0, 1]) < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_the_whole_catalogue_gives_finite_losses(seed: int) -> None:
    risks = list(load_catalogue().risks.values())
    simulated = simulate(risks, {}, 1e7, seed=seed, draws=3000)
    assert np.isfinite(simulated.losses).all()
    assert (simulated.losses >= 0).all()
    document = summary(simulated, "EUR")
    assert document["median"] <= document["p95"] <= document["p99"]
    assert document["draws"] == 3000
    shares = [row["share"] for row in document["sensitivity"]]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    parts = [of_risk(simulated, risk.id) for risk in risks]
    assert sum(part["mean"] for part in parts) == pytest.approx(document["mean"])
    assert sum(part["share"] for part in parts) == pytest.approx(1)


def test_the_exceedance_curve_falls_and_matches_the_draws() -> None:
    simulated = simulate([fixed(0.5), replace(fixed(3.0), id="b")], {}, 1.0, seed=5, draws=20_000)
    total = simulated.losses.sum(axis=0)
    curve = summary(simulated, "EUR")["exceedance"]
    losses, chances = np.array(curve).T
    assert (np.diff(losses) >= 0).all()
    assert (np.diff(chances) < 0).all()
    for loss, chance in curve[::10]:
        assert (total > loss).mean() == pytest.approx(chance, abs=2e-4)
    assert chances[-1] <= 0.001


def test_no_loss_at_all() -> None:
    never = replace(RISK, per_request=(1e-15, 1e-15))
    simulated = simulate([never], {}, 1.0, seed=1, draws=100)
    document = summary(simulated, "EUR")
    assert document["mean"] == 0
    assert document["exceedance"] == []
    assert of_risk(simulated, "harm") == {"mean": 0.0, "p95": 0.0, "share": 0.0}


def posterior_by_weighting(failures: int, trials: int, counts: CalibrationCounts) -> np.ndarray:  # type: ignore[type-arg]
    """Draws of the true rate by another way: weight draws from the priors by the likelihood."""
    chance = np.random.default_rng(5)
    size = 400_000
    e = chance.beta(0.5 + counts.tp, 0.5 + counts.fn, size)
    f = chance.beta(0.5 + counts.fp, 0.5 + counts.tn, size)
    e, f = e[e > f], f[e > f]
    low, high = beta.cdf(f, 0.5, 0.5), beta.cdf(e, 0.5, 0.5)
    judged = beta.ppf(low + chance.random(len(e)) * (high - low), 0.5, 0.5)
    weight = binom.pmf(failures, trials, judged)
    picked = chance.choice(len(e), 20_000, p=weight / weight.sum())
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
