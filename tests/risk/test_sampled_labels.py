"""Labels that are a random sample of a system's answers: what they add to the verdict, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.statistics.correction import UNMEASURED, CalibrationCounts

LABELS, TRIALS, SENSITIVITY, FALSE = 150, 600, 0.87, 0.05


def judged_by(
    rng: np.random.Generator, rate: float, tolerance: Tolerance, *, sampled: bool = True
) -> RiskState | None:
    """A sample labelled, then a run judged; None where labels of one kind are missing."""
    truth = rng.random(LABELS) < rate
    said = np.where(truth, rng.random(LABELS) < SENSITIVITY, rng.random(LABELS) < FALSE)
    counts = CalibrationCounts(
        int((said & truth).sum()),
        int((~said & truth).sum()),
        int((~said & ~truth).sum()),
        int((said & ~truth).sum()),
    )
    failures = int(truth.sum())
    if not 0 < failures < LABELS:
        return None
    state = RiskState(tolerance, counts, sampled=(failures, LABELS) if sampled else None)
    state.update(rng.random(TRIALS) < rate * SENSITIVITY + (1 - rate) * FALSE)
    return state


def test_150_labels_give_a_width_near_the_delta_methods() -> None:
    """The delta method has 0.114 at these errors (``test_width_of_150_labels``)."""
    counts = CalibrationCounts(tp=13, fn=2, tn=128, fp=7)
    tolerance = Tolerance(limit=0.05, alpha=0.05, beta=0.01)
    outcomes = [1.0] * 79 + [0.0] * 521
    widths = []
    for sampled in (None, (15, LABELS)):
        state = RiskState(tolerance, counts, sampled=sampled)
        state.update(outcomes)
        widths.append(state.sequence.high - state.sequence.low)
    assert widths[0] > 0.25
    assert widths[1] < 0.114


@pytest.mark.parametrize(("rate", "alpha", "beta"), [(0.03, 0.1, 0.04), (0.1, 0.04, 0.1)])
def test_the_bounds_err_no_oftener_than_they_may(rate: float, alpha: float, beta: float) -> None:
    runs = 400
    rng = np.random.default_rng(31)
    tolerance = Tolerance(limit=rate, alpha=alpha, beta=beta, minimum_trials=1)
    too_high = too_low = 0
    for _ in range(runs):
        state = judged_by(rng, rate, tolerance)
        if state is None:
            continue  # counts as no error: there is no such calibration file
        too_high += state.low > rate
        too_low += state.high < rate
    # At the nominal errors more than so many have a probability below 1 % (binomial).
    assert too_high <= binom.ppf(0.99, runs, beta)
    assert too_low <= binom.ppf(0.99, runs, alpha)
    assert too_low > 0  # not by being useless


def test_the_sample_decides_where_the_judge_cannot() -> None:
    counts = CalibrationCounts(tp=13, fn=2, tn=128, fp=7)
    tolerance = Tolerance(limit=0.2, alpha=0.05, beta=0.01)
    verdicts = []
    for sampled in (None, (15, LABELS)):
        state = RiskState(tolerance, counts, sampled=sampled)
        state.update([1.0] * 79 + [0.0] * 521)
        verdicts.append(state.verdict)
    assert verdicts == ["undecided", "acceptable"]
    state = RiskState(Tolerance(limit=0.04, alpha=0.05, beta=0.01), counts, sampled=(15, LABELS))
    state.update([1.0] * 79 + [0.0] * 521)
    assert state.verdict == "unacceptable"


@pytest.mark.parametrize("limit", [0.05, 0.1])
def test_failures_that_no_judge_had_to_see_speak_where_nobody_measured_the_judge(
    limit: float,
) -> None:
    """All outcomes are failures by the judge; ``certain`` are those without it."""
    tolerance = Tolerance(limit=limit, alpha=0.1, beta=0.03, minimum_trials=1)
    state = RiskState(tolerance, UNMEASURED, without_judge=True)
    state.update([1.0] * 100, certain=[0.0] * 100)
    assert (state.verdict, state.low) == ("undecided", 0.0)
    state = RiskState(tolerance, UNMEASURED, without_judge=True)
    state.update([1.0] * 100, certain=[1.0] * 40 + [0.0] * 60)
    assert state.verdict == "unacceptable"
    assert limit < state.low < 0.4
    # At the limit the verdict is wrong with a probability of beta at most, over all looks.
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(200):
        state = RiskState(tolerance, UNMEASURED, without_judge=True)
        for _ in range(10):
            declared = rng.random(30) < limit
            state.update(np.maximum(declared, rng.random(30) < 0.5), certain=declared)
        wrong += state.verdict == "unacceptable"
    assert wrong <= binom.ppf(0.99, 200, 0.03)
