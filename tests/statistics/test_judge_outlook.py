"""What a judge leaves undecided, known before the first question."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.statistics.confidence import log_wealth
from buttress.statistics.correction import UNMEASURED, CalibrationCounts
from buttress.statistics.judge_outlook import labels_needed, outlook

MANY = 10**8
GOOD = CalibrationCounts(tp=180, fn=20, tn=380, fp=20)
ELSEWHERE = CalibrationCounts(
    tp=170, fn=30, tn=370, fp=30, systems=((50, 10, 120, 5), (60, 5, 130, 5), (60, 15, 120, 20))
)


@pytest.mark.parametrize("counts", [GOOD, ELSEWHERE], ids=["own", "elsewhere"])
@pytest.mark.parametrize(("limit", "alpha", "beta"), [(0.05, 0.05, 0.01), (0.2, 0.02, 0.1)])
def test_within_the_range_no_number_of_trials_decides_and_outside_it_does(
    counts: CalibrationCounts, limit: float, alpha: float, beta: float
) -> None:
    tolerance = Tolerance(limit=limit, alpha=alpha, beta=beta, severity="high", minimum_trials=1)
    state = RiskState(tolerance, counts, family=2)
    known = outlook(counts, limit, alpha, beta / 2)
    assert known is not None
    step = 0.001
    inside = np.linspace(known.judged_low + step, known.judged_high - step, 30)
    accepted, rejected = state.decided(inside * MANY, MANY)
    assert not accepted.any()
    assert not rejected.any()
    accepted, _ = state.decided((known.judged_low - step) * MANY, MANY)
    assert accepted
    if known.judged_high < 1:
        _, rejected = state.decided((known.judged_high + step) * MANY, MANY)
        assert rejected


def test_failures_that_the_judge_is_certain_of_leave_less_undecided() -> None:
    """As above: inside the range nothing decides, outside it something does."""
    judged = ((45, 5, 20, 5), (45, 5, 50, 0), (45, 5, 50, 0), (45, 5, 73, 2)) * 4
    surely = ((36, 14, 25, 0), (36, 14, 50, 0), (36, 14, 50, 0), (36, 14, 74, 1)) * 4
    counts = CalibrationCounts(720, 80, 772, 28, judged)
    certain = CalibrationCounts(576, 224, 796, 4, surely)
    plain = outlook(counts, 0.1, 0.05, 0.02)
    known = outlook(counts, 0.1, 0.05, 0.02, certain)
    assert plain is not None
    assert known is not None
    assert known.high < 0.7 * plain.high
    assert (known.judged_low, known.low) == (plain.judged_low, plain.low)
    sensitivity, false = 0.9, 28 / 800
    assert known.judged_high == pytest.approx(known.high * sensitivity + (1 - known.high) * false)
    tolerance = Tolerance(limit=0.1, alpha=0.05, beta=0.02, minimum_trials=1)
    for rate, rejected in ((known.high - 0.02, False), (known.high + 0.02, True)):
        state = RiskState(tolerance, counts, certain=certain)
        trials = 20_000
        sure = round(trials * (0.72 * rate + 0.005 * (1 - rate)))
        seen = round(trials * (sensitivity * rate + false * (1 - rate)))
        state.update(np.arange(trials) < seen, certain=np.arange(trials) < sure)
        assert (state.verdict == "unacceptable") is rejected


def test_true_rates_show_as_the_judged_ones_at_the_usual_errors() -> None:
    known = outlook(GOOD, 0.2, 0.05, 0.02)
    assert known is not None
    assert 0 < known.low < 0.2 < known.high < 1
    for true, judged in ((known.low, known.judged_low), (known.high, known.judged_high)):
        assert 0.9 * true + 0.05 * (1 - true) == pytest.approx(judged)


def test_a_judge_not_better_than_chance_decides_nothing() -> None:
    known = outlook(CalibrationCounts(5, 5, 5, 5), 0.05, 0.05, 0.01)
    assert known is not None
    assert (known.judged_low, known.judged_high, known.low, known.high) == (0, 1, 0, 1)
    assert known.measured


def test_a_judge_that_nobody_measured_decides_up_to_the_limit_as_judged() -> None:
    known = outlook(UNMEASURED, 0.05, 0.05, 0.01)
    assert known is not None
    assert (known.judged_low, known.judged_high, known.low, known.high) == (0.05, 1, 0.05, 1)
    assert not known.measured


def test_more_calibration_labels_leave_less_undecided() -> None:
    ranges = []
    for times in (1, 10, 100):
        known = outlook(CalibrationCounts(90 * times, 10 * times, 190 * times, 10 * times),
                        0.1, 0.05, 0.02)  # fmt: skip
        assert known is not None
        ranges.append(known.high - known.low)
    assert ranges[0] > 2 * ranges[1] > 4 * ranges[2]


@pytest.mark.parametrize("limit", [0.02, 0.1, 0.5, 0.9])
def test_so_many_labels_decide_about_half_of_the_systems_that_far_from_the_limit(
    limit: float,
) -> None:
    """Exact, by the binomial law; one label fewer is not enough for the expected number."""
    alpha, beta = 0.05, 0.01
    labels = labels_needed(limit, alpha, beta)
    below, above = limit / 2, limit + min(limit, 1 - limit) / 2

    def decides(count: int, failures: float, *, accept: bool) -> bool:
        if accept:
            return float(log_wealth(failures, count, limit)) >= -math.log(alpha)
        return float(log_wealth(count - failures, count, 1 - limit)) >= -math.log(beta)

    def both(count: int) -> bool:
        return decides(count, below * count, accept=True) and decides(
            count, above * count, accept=False
        )

    assert both(labels)
    assert not both(labels - 1)
    most = max(k for k in range(labels + 1) if k == 0 or decides(labels, k, accept=True))
    least = min(k for k in range(labels + 1) if k == labels or decides(labels, k, accept=False))
    assert binom.cdf(most, labels, below) >= 0.4
    assert binom.sf(least - 1, labels, above) >= 0.4
