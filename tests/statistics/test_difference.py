"""The test for a risen failure rate: its false alarms under peeking, its power, its laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binomtest

from buttress.statistics.confidence import log_wealth
from buttress.statistics.difference import FailureCount, log_evidence_of_rise
from buttress.statistics.multiple import p_value

SAMPLES = st.integers(0, 400).flatmap(
    lambda trials: st.integers(0, trials).map(lambda failures: FailureCount(trials, failures))
)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.slow
def test_an_unchanged_rate_seldom_raises_an_alarm_even_to_one_who_peeks(rate: float) -> None:
    """Both samples grow in turn, and the one who looks stops at the first alarm."""
    chance = np.random.default_rng(11)
    alpha, repeats = 0.1, 150
    sizes = np.unique(np.geomspace(5, 300, 8).astype(int))
    alarms = 0
    for _ in range(repeats):
        before = np.cumsum(chance.random(300) < rate)
        after = np.cumsum(chance.random(300) < rate)
        looks = [
            log_evidence_of_rise(
                FailureCount(int(n), float(before[n - 1])),
                FailureCount(int(m), float(after[m - 1])),
            )
            for n in sizes[::2]
            for m in sizes
        ]
        alarms += p_value(max(looks)) <= alpha
    # Not more alarms than alpha allows, at a one-sided error of this test of 1 in 10,000.
    assert binomtest(alarms, repeats, alpha, alternative="greater").pvalue > 1e-4, alarms


def test_it_has_power() -> None:
    """A jump from 5 % to 30 % is seen in nearly all pairs of 150 trials."""
    chance = np.random.default_rng(3)
    seen = sum(
        p_value(
            log_evidence_of_rise(
                FailureCount(150, float(chance.binomial(150, 0.05))),
                FailureCount(150, float(chance.binomial(150, 0.30))),
            )
        )
        <= 0.05
        for _ in range(200)
    )
    assert seen >= 190


@settings(max_examples=150, deadline=None)
@given(SAMPLES, SAMPLES)
def test_it_is_the_smallest_product_over_rates_that_did_not_rise(
    before: FailureCount, after: FailureCount
) -> None:
    """Against a brute-force search over pairs "before ≥ after"."""
    rates = expit(np.linspace(-9, 9, 61))
    low = log_wealth(before.failures, before.trials, rates)
    high = log_wealth(after.trials - after.failures, after.trials, 1 - rates)
    pairs = low[:, None] + high[None, :]  # row: before, column: after
    least = np.nanmin(np.where(np.tri(61, dtype=bool), pairs, np.inf))
    if math.isfinite(least):
        assert log_evidence_of_rise(before, after) <= least + 1e-6


@settings(max_examples=100, deadline=None)
@given(SAMPLES, SAMPLES)
def test_rise_and_fall_are_never_both_shown(before: FailureCount, after: FailureCount) -> None:
    rise, fall = log_evidence_of_rise(before, after), log_evidence_of_rise(after, before)
    assert math.isfinite(rise)
    assert min(rise, fall) <= 1e-6


@given(SAMPLES)
def test_nothing_follows_from_no_trials(sample: FailureCount) -> None:
    assert log_evidence_of_rise(FailureCount(0, 0), sample) <= 1e-5
    assert log_evidence_of_rise(sample, FailureCount(0, 0)) <= 1e-5


@pytest.mark.parametrize(("before", "after"), [((300, 3), (300, 40)), ((5000, 100), (5000, 260))])
def test_the_least_evidence_over_all_rates_is_found_between_grid_points(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    """By a grid 60 times as fine as the one that is searched first."""
    rates = expit(np.linspace(-4.5, -2.0, 3001))
    below = log_wealth(np.full_like(rates, before[1]), np.full_like(rates, before[0]), rates)
    successes = np.full_like(rates, after[0] - after[1])
    above = log_wealth(successes, np.full_like(rates, after[0]), 1 - rates)
    least = float((below + above).min())
    found = log_evidence_of_rise(FailureCount(*before), FailureCount(*after))
    assert found == pytest.approx(least, abs=1e-3)
