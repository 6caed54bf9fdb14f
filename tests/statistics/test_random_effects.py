"""Rates of a system that is not among those measured: coverage by simulation, exact limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta as beta_law

from buttress.statistics.correction import (
    CalibrationCounts,
    corrected_lower,
    corrected_upper,
    point_for_lower,
    point_for_upper,
)
from buttress.statistics.random_effects import (
    correlation,
    predictive_bounds,
    predictive_mean,
)

ALPHA, BETA = 0.05, 0.1


@pytest.mark.parametrize(("mean", "rho"), [(0.85, 0.02), (0.85, 0.2), (0.6, 0.4)])
@pytest.mark.slow
def test_a_new_systems_rate_is_outside_as_often_as_is_said(mean: float, rho: float) -> None:
    rng = np.random.default_rng(7)
    size = 1 / rho - 1
    low_missed = high_missed = 0
    runs = 400
    for _ in range(runs):
        rates = rng.beta(mean * size, (1 - mean) * size, 13)
        systems = [(int(rng.binomial(60, rate)), 60) for rate in rates[:12]]
        low = predictive_bounds(systems, ALPHA)[0]
        high = predictive_bounds(systems, BETA)[1]
        low_missed += rates[12] < low
        high_missed += rates[12] > high
    assert low_missed / runs <= ALPHA + 2.6 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
    assert high_missed / runs <= BETA + 2.6 * (BETA * (1 - BETA) / runs) ** 0.5


def test_many_alike_systems_come_to_the_exact_bound() -> None:
    systems = [(800, 1000)] * 60
    low, high = predictive_bounds(systems, ALPHA)
    assert low == pytest.approx(0.8, abs=0.012)
    assert high == pytest.approx(0.8, abs=0.012)
    assert predictive_mean(systems) == pytest.approx(0.8, abs=0.003)
    assert correlation(systems) < 0.01


def test_the_spread_of_many_systems_is_found() -> None:
    rng = np.random.default_rng(3)
    a, b = 0.7 * 4, 0.3 * 4  # correlation 0.2
    systems = [(int(rng.binomial(500, rate)), 500) for rate in rng.beta(a, b, 300)]
    low, high = predictive_bounds(systems, ALPHA)
    assert low == pytest.approx(beta_law(a, b).ppf(ALPHA), abs=0.03)
    assert high == pytest.approx(beta_law(a, b).ppf(1 - ALPHA), abs=0.03)
    assert correlation(systems) == pytest.approx(0.2, abs=0.03)


def test_fewer_systems_say_less() -> None:
    few, more = [(45, 50)] * 2, [(45, 50)] * 20
    assert predictive_bounds(few, ALPHA)[0] < predictive_bounds(more, ALPHA)[0] - 0.1
    assert predictive_bounds([(45, 50)], ALPHA)[0] < predictive_bounds(few, ALPHA)[0]
    assert predictive_bounds([], ALPHA) == (0.0, 1.0)
    assert predictive_bounds([(0, 0)], ALPHA) == (0.0, 1.0)


@pytest.mark.slow
def test_corrected_bounds_hold_for_a_judge_that_meets_a_new_system() -> None:
    rng = np.random.default_rng(11)
    runs, wrong_low, wrong_high, true = 300, 0, 0, 0.2
    for _ in range(runs):
        hits = rng.beta(0.85 * 9, 0.15 * 9, 11)
        alarms = rng.beta(0.05 * 19, 0.95 * 19, 11)
        tables = []
        for hit, alarm in zip(hits[:10], alarms[:10], strict=True):
            tp, fp = int(rng.binomial(60, hit)), int(rng.binomial(60, alarm))
            tables.append((tp, 60 - tp, 60 - fp, fp))
        total = np.array(tables).sum(axis=0)
        counts = CalibrationCounts(*map(int, total), systems=tuple(tables))
        judged = true * hits[10] + (1 - true) * alarms[10]  # as many trials as one likes
        wrong_high += corrected_upper(judged, point_for_upper(counts, ALPHA)) < true
        wrong_low += corrected_lower(judged, point_for_lower(counts, BETA)) > true
    assert wrong_high / runs <= ALPHA + 2.6 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
    assert wrong_low / runs <= BETA + 2.6 * (BETA * (1 - BETA) / runs) ** 0.5
