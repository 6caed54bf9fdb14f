"""Scores of reward models: exact values, and simulated models whose faults are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from buttress.statistics.best_of_n import best_of_n, kl_bound, selection_weights
from buttress.statistics.preference_scores import (
    accuracy,
    calibration,
    calibration_error,
    length_correlation,
    mean_by_prompt,
)


def test_chance_of_selection_is_that_of_all_choices() -> None:
    proxy = np.array([0.3, 2.0, -1.0, 0.3, 1.0])
    for n in range(1, 6):
        taken = np.zeros(5)
        choices = list(itertools.combinations(range(5), n))
        for choice in choices:
            best = max(proxy[list(choice)])
            ties = [at for at in choice if proxy[at] == best]
            taken[ties] += 1 / len(ties) / len(choices)
        assert selection_weights(proxy, n) == pytest.approx(taken)


def test_kl_is_that_of_the_formula() -> None:
    assert kl_bound(1) == 0
    assert kl_bound(4) == pytest.approx(np.log(4) - 0.75)


def test_a_gold_score_that_falls_is_seen_and_one_that_rises_is_not_called_so() -> None:
    rng = np.random.default_rng(1)
    proxy = [rng.normal(size=32) for _ in range(200)]
    gold = [-((one - 0.5) ** 2) + rng.normal(size=32) * 0.2 for one in proxy]
    points = best_of_n(proxy, gold)
    assert [one.n for one in points] == [1, 2, 4, 8, 16, 32]
    assert points[1].gold > points[0].gold
    assert points[1].loss_high < 0
    assert points[-1].loss == 0
    rising = best_of_n(proxy, [one + rng.normal(size=32) for one in proxy])
    assert rising[0].loss_low > 0
    assert all(one.loss_high >= 0 for one in rising)


def test_of_independent_gold_scores_the_verdict_errs_as_seldom_as_stated() -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    for run in range(120):
        proxy = [rng.normal(size=8) for _ in range(40)]
        gold = [rng.normal(size=8) for _ in range(40)]
        wrong += any(one.loss_high < 0 for one in best_of_n(proxy, gold, seed=run)[:-1])
    assert wrong <= 9  # at 2.5 % the chance of more is 0.001


def test_two_samples_are_needed() -> None:
    with pytest.raises(ValueError, match="two samples"):
        best_of_n([np.array([1.0])], [np.array([1.0])])


def test_accuracy_counts_ties_half_and_prompts_once() -> None:
    difference = np.array([1.0, 1.0, 1.0, -1.0, 0.0])
    found = accuracy(difference, np.array([0, 0, 0, 1, 2]))
    assert found.estimate == pytest.approx((1 + 0 + 0.5) / 3)
    assert found.count == 5
    assert mean_by_prompt(np.array([]), np.array([], dtype=np.int64)).count == 0
    # A prompt that is left out leaves no gap.
    assert mean_by_prompt(np.array([1.0, 0.0]), np.array([0, 7])).estimate == 0.5


def test_calibration_error_by_hand() -> None:
    sure = np.array([0.6, 0.9])
    assert calibration_error(sure, np.array([1.0, 1.0])) == pytest.approx((0.4 + 0.1) / 2)
    assert calibration_error(sure, np.array([0.0, 1.0])) == pytest.approx((0.6 + 0.1) / 2)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_slope_is_the_factor_that_mends_the_scores(factor: float) -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(size=4000) * 2
    difference = np.where(rng.random(4000) < 1 / (1 + np.exp(-true)), true, -true) * factor
    found = calibration(difference, np.arange(4000))
    assert found.slope.low < 1 / factor < found.slope.high
    if factor == 1:
        assert found.error < found.error_by_chance * 2
    else:
        assert found.error > found.error_by_chance * 2


@pytest.mark.slow
def test_the_interval_of_the_slope_covers_as_stated_with_pairs_that_share_a_prompt() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(200):
        true = np.repeat(rng.normal(size=100) * 1.5, 4)
        # The four pairs of a prompt agree: the noise is the prompt's.
        right = np.repeat(rng.random(100), 4) < 1 / (1 + np.exp(-true))
        slope = calibration(np.where(right, true, -true), np.repeat(np.arange(100), 4)).slope
        held += slope.low <= 1 <= slope.high
    assert held >= 179  # fewer has chance 0.0005 at 95 %


def test_a_slope_without_a_wrong_order_is_not_defined() -> None:
    found = calibration(np.array([1.0, 2.0]), np.arange(2))
    assert np.isnan(found.slope.estimate)


def test_length_is_seen_where_it_decides_and_not_where_it_does_not() -> None:
    rng = np.random.default_rng(5)
    length = rng.normal(size=500) * 100
    noise = rng.normal(size=500)
    follows = length_correlation(length / 100 + noise, length, np.arange(500))
    assert follows.estimate == pytest.approx(0.71, abs=0.06)
    assert follows.low > 0.5
    apart = length_correlation(noise, length, np.arange(500))
    assert apart.low < 0 < apart.high
    assert np.isnan(length_correlation(noise[:5], length[:5], np.arange(5)).low)
    assert np.isnan(length_correlation(noise, length * 0, np.arange(500)).estimate)
