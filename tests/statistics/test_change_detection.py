"""E-detectors and conformal bets: exact where it can be computed, else by simulation."""

from __future__ import annotations

import itertools
import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import kstest

from buttress.statistics.change_detection import (
    BETS,
    WEIGHTS,
    ChangeDetector,
    head_start,
    increments,
    threshold,
)
from buttress.statistics.exchangeability import (
    TAIL_BETS,
    ScoreSample,
    rate_increments,
    tail_increments,
)


def test_the_threshold_is_shared_by_all_streams() -> None:
    assert threshold([18_250], 1) == 18_250
    assert threshold([18_250] * 20, 2) == 182_500
    assert threshold([1], 100) == 1
    with pytest.raises(ValueError, match="above 0"):
        threshold([], 1)


@pytest.mark.parametrize(("rate", "limit"), [(0.05, 0.05), (0.2, 0.2), (0.1, 0.3)])
def test_an_increment_is_no_better_than_fair_before_a_change(rate: float, limit: float) -> None:
    made = rate * increments(1.0, limit) + (1 - rate) * increments(0.0, limit)
    assert (made <= 1 + 1e-12).all()
    assert (increments([0.0, 0.5, 1.0], limit) >= 0).all()


def test_the_statistic_has_the_mean_that_bounds_false_alarms() -> None:
    """E M(n) = n exactly at the limit, over all sequences of outcomes."""
    limit, length = 0.3, 8
    total = 0.0
    for outcomes in product((0.0, 1.0), repeat=length):
        detector = ChangeDetector()
        for one in outcomes:
            detector.update(increments(one, limit).tolist())
        ones = sum(outcomes)
        total += limit**ones * (1 - limit) ** (length - ones) * detector.statistic
    assert total == pytest.approx(length)


def test_alarms_are_no_more_frequent_than_was_asked_for_and_changes_are_found() -> None:
    """400 streams of 2,000 outcomes, at most one alarm in 500: alpha is not the power."""
    rng = np.random.default_rng(3)
    least, limit = 500.0, 0.1
    alarms = 0
    wealth = np.zeros((400, len(BETS)))
    for _ in range(2000):
        outcomes = (rng.random(400) < limit).astype(float)
        wealth = increments(outcomes, limit) * (wealth + 1)
        over = wealth.mean(axis=1) >= least
        alarms += int(over.sum())
        wealth[over] = 0
    assert 0 < alarms <= 400 * 2000 / least
    wealth[:] = 0
    for _ in range(150):
        outcomes = (rng.random(400) < 3 * limit).astype(float)
        wealth = increments(outcomes, limit) * (wealth + 1)
    assert (wealth.mean(axis=1) >= least).mean() > 0.95


def test_the_onset_is_near_the_change() -> None:
    rng = np.random.default_rng(5)
    missed = []
    for _ in range(60):
        detector = ChangeDetector()
        number = 0
        while detector.statistic < 2000 and number < 3000:
            rate = 0.05 if number < 400 else 0.25
            detector.update(increments(float(rng.random() < rate), 0.05).tolist())
            number += 1
        missed.append(abs(detector.onset - 400))
    assert np.median(missed) < 30


def test_a_detector_is_what_it_was_after_it_was_stored() -> None:
    detector = ChangeDetector()
    for one in (1.0, 0.0, 1.0):
        detector.update(increments(one, 0.2).tolist())
    assert ChangeDetector.of_plain(detector.plain()) == detector
    with pytest.raises(ValueError, match="expected 5 increments"):
        detector.update([1.0])


def ranks(rng: np.random.Generator, reference: int, count: int) -> list[float]:
    """P-values of a stream of failures whose rate nobody knows."""
    rate = rng.beta(2, 20)
    sample = ScoreSample()
    for _ in range(reference):
        sample.add(float(rng.random() < rate))
    return [sample.rank(float(rng.random() < rate), rng.random()) for _ in range(count)]


def test_ranks_are_uniform_and_independent_with_a_reference_of_any_size() -> None:
    rng = np.random.default_rng(11)
    drawn = np.array([ranks(rng, 7, 12) for _ in range(800)])
    assert kstest(drawn.ravel(), "uniform").pvalue > 0.001
    for lag in (1, 5):
        first, second = drawn[:, :-lag].ravel(), drawn[:, lag:].ravel()
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.04


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.5, 1.0])
def test_bets_on_ranks_are_fair(rate: float) -> None:
    grid = (np.arange(100_000) + 0.5) / 100_000
    for make, count in (
        (lambda p: rate_increments(p, rate, BETS), len(BETS)),
        (tail_increments, len(TAIL_BETS)),
    ):
        made = np.array([make(float(p)) for p in grid[::50]])
        assert made.shape[1] == count
        assert made.min() >= 0
        assert made.mean(axis=0) == pytest.approx(np.ones(count), abs=0.03)


def test_a_plugged_in_rate_would_raise_false_alarms_where_ranks_do_not() -> None:
    """References of 60: a rate that is taken as known is wrong, and the year pays for it."""
    rng = np.random.default_rng(2)
    streams, length, least = 500, 1500, 300.0
    rate = 0.1
    ones = rng.binomial(60, rate, streams).astype(float)
    size = 60
    plugged = np.clip(ones / size, 0.001, 0.999)
    wealth = {"plugged": np.zeros((streams, len(BETS))), "ranked": np.zeros((streams, len(BETS)))}
    alarms = dict.fromkeys(wealth, 0)
    for _ in range(length):
        x = (rng.random(streams) < rate).astype(float)
        tail = np.clip(ones / size, 0.001, 0.999)
        ones += x
        size += 1
        tie = rng.random(streams)
        rank = np.where(x > 0, tie * ones, ones + tie * (size - ones)) / size
        gains = {
            "plugged": x / plugged - 1,
            "ranked": np.where(rank <= tail, 1 / tail, 0) - 1,
        }
        for name, gain in gains.items():
            wealth[name] = (1 + np.array(BETS) * gain[:, None]) * (wealth[name] + 1)
            over = wealth[name].mean(axis=1) >= least
            alarms[name] += int(over.sum())
            wealth[name][over] = 0
    allowed = streams * length / least
    assert alarms["ranked"] <= allowed < alarms["plugged"]


def test_a_sample_forgets_what_leaves_it() -> None:
    sample = ScoreSample()
    for score in (0.0, 1.0, 1.0, 0.25):
        sample.add(score)
    sample.remove(1.0)
    sample.remove(0.9)
    assert (sample.size, sample.mean) == (3, pytest.approx(1.25 / 3))
    assert ScoreSample.of_plain(sample.plain()).mean == sample.mean


def test_a_weighted_mixture_grows_by_one_an_outcome_on_average_and_no_more() -> None:
    """Exact: over all sequences of outcomes at the limit, E M(n) = n; above it, M grows faster."""
    assert sum(WEIGHTS) == pytest.approx(1.0)
    for rate, fair in ((0.05, True), (0.1, False)):
        expected = 0.0
        for sequence in itertools.product((0.0, 1.0), repeat=7):
            detector = ChangeDetector(len(BETS), weights=list(WEIGHTS))
            for outcome in sequence:
                value = detector.update(increments(outcome, 0.05).tolist())
            expected += value * math.prod(rate if one else 1 - rate for one in sequence)
        assert (expected == pytest.approx(7.0)) is fair
    again = ChangeDetector.of_plain(detector.plain())
    assert again.statistic == detector.statistic
    assert again.weights == list(WEIGHTS)


def test_a_head_start_counts_the_outcomes_of_the_sample_and_no_more() -> None:
    """Exact: over all sequences at the limit, E M(n) = r + n, so n + r outcomes pay for it."""
    start = head_start(4, 1000)
    assert start == 4
    expected = 0.0
    for sequence in itertools.product((0.0, 1.0), repeat=6):
        detector = ChangeDetector(len(BETS), weights=list(WEIGHTS), wealth=[start] * len(BETS))
        for outcome in sequence:
            value = detector.update(increments(outcome, 0.2).tolist())
        expected += value * math.prod(0.2 if one else 0.8 for one in sequence)
    assert expected == pytest.approx(4 + 6)
    assert head_start(10**9, 1000) == pytest.approx(50)  # never near the threshold


def test_ranks_with_a_head_start_raise_no_more_alarms_than_their_outcomes_pay_for() -> None:
    """2,000 streams: a reference of 200, then 400 outcomes; at most one alarm in 4,000."""
    rng = np.random.default_rng(17)
    streams, size, length, least, rate = 2000, 200, 400, 4000.0, 0.1
    ones = rng.binomial(size, rate, streams).astype(float)
    wealth = np.full((streams, len(BETS)), head_start(size, least))
    alarms = {"same": 0, "changed": 0}
    for number in range(length):
        changed = number >= length - 100
        x = (rng.random(streams) < (3 * rate if changed else rate)).astype(float)
        tail = np.clip(ones / (size + number), 0.001, 0.999)
        ones += x
        count = size + number + 1
        tie = rng.random(streams)
        rank = np.where(x > 0, tie * ones, ones + tie * (count - ones)) / count
        gain = np.where(rank <= tail, 1 / tail, 0) - 1
        wealth = (1 + np.array(BETS) * gain[:, None]) * (wealth + 1)
        over = wealth @ np.array(WEIGHTS) >= least
        alarms["changed" if changed else "same"] += int(over.sum())
        wealth[over] = 0
    assert 0 < alarms["same"] <= streams * (size + length - 100) / least
    assert alarms["changed"] > 0.9 * streams
