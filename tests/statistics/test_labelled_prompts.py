"""Labels of trials that share prompts: coverage by simulation, the wealth by exact computation."""

from __future__ import annotations

import itertools
import math
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest

from buttress.statistics import confidence, graded
from buttress.statistics.labelled_prompts import LabelledPrompts, log_wealth
from buttress.statistics.prediction_powered import Draws, Path, follow
from buttress.statistics.two_stage import log_evidence, system_bounds

Array = npt.NDArray[np.float64]
RATE, PROMPTS, EACH, RUNS = 0.1, 40, 6, 300
LOW, HIGH = 0.02, 0.08  # errors of the lower and the upper bound


def labelled(
    rng: np.random.Generator, correlation: float, labels: int, *, shared: bool, rate: float = RATE
) -> Path:
    """Beta-binomial prompts, a judge that errs in a tenth, and labels drawn evenly."""
    a, b = (share * (1 / correlation - 1) for share in (rate, 1 - rate))
    rates = rng.beta(a, b, PROMPTS)
    truth = (rng.random((PROMPTS, EACH)) < rates[:, None]).astype(float).ravel()
    scores = np.where(rng.random(truth.size) < 0.1, 1 - truth, truth) * 0.9 + 0.05
    drawn = rng.permutation(truth.size)[:labels]
    law = 1 / (truth.size - np.arange(labels))
    prompts = np.repeat(np.arange(PROMPTS), EACH) if shared else None
    return follow(Draws(scores, drawn, truth[drawn], law, prompts=prompts), LOW)


def errors(
    correlation: float,
    labels: int,
    *,
    shared: bool,
    rate: float = RATE,
    nominal: tuple[float, float] = (LOW, HIGH),
    runs: int = RUNS,
) -> tuple[float, float]:
    """Shares of runs in which the lower, and the upper, bound excludes the true rate."""
    rng = np.random.default_rng(1)
    wrong = np.zeros(2)
    for _ in range(runs):
        path = labelled(rng, correlation, labels, shared=shared, rate=rate)
        wrong += [
            log_evidence(path, rate, above=above) >= -math.log(alpha)
            for above, alpha in zip((True, False), nominal, strict=True)
        ]
    return float(wrong[0]) / runs, float(wrong[1]) / runs


@pytest.mark.parametrize("correlation", [0.1, 0.8])
@pytest.mark.parametrize("labels", [60, PROMPTS * EACH])
@pytest.mark.slow
def test_labels_of_trials_that_share_prompts_keep_both_errors(
    correlation: float, labels: int
) -> None:
    for error, alpha in zip(errors(correlation, labels, shared=True), (LOW, HIGH), strict=True):
        assert error <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / RUNS)


@pytest.mark.parametrize("nominal", [(LOW, HIGH), (HIGH, LOW)])
@pytest.mark.parametrize("rate", [0.02, 0.3, 0.6])
@pytest.mark.slow
def test_unequal_errors_are_kept_at_other_rates(rate: float, nominal: tuple[float, float]) -> None:
    runs = 100
    found = errors(0.37, PROMPTS * EACH, shared=True, rate=rate, nominal=nominal, runs=runs)
    for error, alpha in zip(found, nominal, strict=True):
        assert error <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)


@pytest.mark.slow
def test_trials_taken_as_independent_do_not_keep_them() -> None:
    """What this guards against: all trials labelled, prompts that fail as a whole."""
    low, high = errors(0.8, PROMPTS * EACH, shared=False)
    assert low > LOW + 2 * math.sqrt(LOW * (1 - LOW) / RUNS)
    assert high > HIGH + 2 * math.sqrt(HIGH * (1 - HIGH) / RUNS)


@pytest.mark.parametrize("labels", [0, 15, 50])
def test_prompts_with_one_trial_give_the_bounds_of_independent_trials(labels: int) -> None:
    rng = np.random.default_rng(2)
    truth = (rng.random(50) < 0.2).astype(float)
    drawn = rng.permutation(50)[:labels]
    law = 1 / (50 - np.arange(labels))
    make = partial(Draws, rng.random(50), drawn, truth[drawn], law)
    alone = follow(make(prompts=rng.permutation(50)), LOW)
    none = follow(make(), LOW)
    assert system_bounds(alone, LOW, HIGH) == system_bounds(none, LOW, HIGH)
    assert alone.prompts.concentration == pytest.approx(1 / 50)
    sums = np.linspace(*none.range, 9) * 50
    for above, mean in ((False, 0.35), (True, 0.1)):
        failures, against = (50 - sums, 1 - mean) if above else (sums, mean)
        exact = confidence.log_wealth(failures, np.full(9, 50), np.full(9, against))
        assert log_wealth(none.prompts, sums, mean, above=above) == pytest.approx(exact, abs=1e-4)


def test_with_all_labels_it_is_the_wealth_of_prompt_means() -> None:
    """Means on the grid of ``graded``, so that its wealth is exact up to the quadrature."""
    failures = np.array([0, 0, 0, 1, 2, 4, 0, 0, 3, 0, 0, 0])
    labels = (np.arange(4) < failures[:, None]).astype(float).ravel()
    prompts = LabelledPrompts.of(np.repeat(np.arange(12), 4), np.arange(48), labels)
    weights = graded.spread(failures / 4)
    sums = np.array([labels.sum()])
    below = log_wealth(prompts, sums, 0.5, above=False)
    assert below == pytest.approx(graded.log_wealth(weights[None, :], [0.5]), abs=1e-4)
    above = log_wealth(prompts, sums, 0.05, above=True)
    assert above == pytest.approx(graded.log_wealth(weights[None, ::-1], [0.95]), abs=1e-4)


@pytest.mark.parametrize(("above", "mean"), [(False, 0.6), (True, 0.1)])
def test_the_wealth_is_no_more_than_with_any_labels_that_may_come(above: bool, mean: float) -> None:
    """All 2⁵ labels of the trials left, prompts of unequal size."""
    prompts = np.array([0, 0, 0, 1, 1, 2, 3, 3, 3])
    drawn, seen = np.array([0, 3, 5, 6]), np.array([1.0, 0.0, 0.0, 1.0])
    partly = LabelledPrompts.of(prompts, drawn, seen)
    everything = np.concatenate([drawn, [1, 2, 4, 7, 8]])
    gaps: dict[float, list[float]] = {}
    for more in itertools.product([0.0, 1.0], repeat=5):
        labels = np.concatenate([seen, more])
        sums = np.array([labels.sum()])
        whole = LabelledPrompts.of(prompts, everything, labels)
        gap = log_wealth(whole, sums, mean, above=above) - log_wealth(
            partly, sums, mean, above=above
        )
        gaps.setdefault(float(sums[0]), []).append(float(gap[0]))
    assert all(min(each) >= -1e-9 for each in gaps.values())
    assert max(max(each) for each in gaps.values()) > 1e-3
    ends = min(gaps), max(gaps)
    assert [gaps[end] for end in ends] == [[pytest.approx(0, abs=1e-9)]] * 2


def test_the_bets_are_fair_whatever_trials_of_a_prompt_share() -> None:
    """Expected wealth over all outcomes of prompts with 1, 2 and 3 trials that fail as a whole."""
    sizes, rate = (1, 2, 3), 0.3
    prompts = np.repeat(np.arange(3), sizes)
    expected = np.zeros(2)
    for fails in itertools.product([0.0, 1.0], repeat=3):
        labels = np.repeat(fails, sizes)
        chance = math.prod(rate if each else 1 - rate for each in fails)
        known = LabelledPrompts.of(prompts, np.arange(6), labels)
        for side, above in enumerate((False, True)):
            wealth = log_wealth(known, np.array([labels.sum()]), rate, above=above)[0]
            expected[side] += chance * math.exp(wealth)
    assert expected == pytest.approx([1, 1], abs=1e-9)


def test_a_bound_is_where_the_evidence_reaches_its_error() -> None:
    path = labelled(np.random.default_rng(3), 0.4, 90, shared=True)
    low, high = system_bounds(path, LOW, HIGH)
    assert 0 < low < high < 1
    assert log_evidence(path, low, above=True) == pytest.approx(-math.log(LOW), abs=1e-6)
    assert log_evidence(path, high, above=False) == pytest.approx(-math.log(HIGH), abs=1e-6)


def test_a_number_of_prompts_that_does_not_fit_is_refused() -> None:
    none = np.zeros(0)
    with pytest.raises(ValueError, match="prompts"):
        Draws(np.full(3, 0.5), none.astype(np.int64), none, none, prompts=np.zeros(2, np.int64))
