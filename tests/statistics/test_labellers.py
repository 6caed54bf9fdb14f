"""Krippendorff's alpha against figures of another implementation; Dawid and Skene by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from buttress.statistics.dawid_skene import accuracy_intervals, dawid_skene
from buttress.statistics.krippendorff import alpha, alpha_of_counts, counts_of

# Alpha of ``ratings(seed)`` by the package krippendorff 0.9.0, nominal.
REFERENCE = {
    0: 0.3902556681138447,
    1: 0.3626891862250494,
    2: 0.32368621477532367,
    3: 0.3811013767209013,
    4: 0.1469917958067456,
}


def ratings(seed: int, raters: int = 4, units: int = 40, categories: int = 3) -> np.ndarray:
    """Made by arithmetic, so that no generator's version changes them; a quarter is missing."""
    made = np.full((raters, units), -1, dtype=np.int64)
    state = seed + 1
    for unit in range(units):
        truth = (unit * 7 + seed) % categories
        for rater in range(raters):
            state = (state * 1103515245 + 12345) % 2**31
            toss = state >> 16
            if toss % 4:
                made[rater, unit] = truth if toss % 10 < 6 else toss % categories
    return made


@pytest.mark.parametrize(("seed", "expected"), sorted(REFERENCE.items()))
def test_alpha_is_that_of_another_implementation(seed: int, expected: float) -> None:
    assert alpha_of_counts(counts_of(ratings(seed), 3)) == pytest.approx(expected, abs=1e-12)


def test_alpha_of_perfect_agreement_of_chance_and_of_nothing() -> None:
    truth = np.tile(np.arange(60) % 3, (3, 1))
    assert alpha(truth, 3).estimate == 1
    assert np.isnan(alpha(np.zeros((3, 20), dtype=np.int64), 3).estimate)
    assert np.isnan(alpha(np.full((3, 20), -1), 3).estimate)
    tossed = alpha(np.random.default_rng(4).integers(0, 3, (3, 400)), 3)
    assert tossed.low < 0 < tossed.high
    assert tossed.high < 0.1


@pytest.mark.slow
def test_the_interval_holds_alpha_of_the_population() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for seed in range(60):
        truth = rng.integers(0, 2, 80)
        given = np.where(rng.random((3, 80)) < 0.8, truth, 1 - truth)
        found = alpha(given, 2, seed=seed)
        hits += found.low <= 0.36 <= found.high  # (2 * 0.8 - 1)^2 for balanced categories
    assert hits >= 50  # 57 expected; 50 has chance 0.003 at 95 %, bootstrap is a little short


@pytest.mark.slow
def test_accuracy_without_a_known_truth() -> None:
    rng = np.random.default_rng(3)
    accuracy = np.array([0.95, 0.85, 0.8, 0.7, 0.6])
    estimates, hits = [], np.zeros(5)
    for seed in range(10):
        truth = rng.integers(0, 2, 500)
        given = np.where(rng.random((5, 500)) < accuracy[:, None], truth, 1 - truth)
        given[rng.random((5, 500)) < 0.1] = -1
        estimates.append(dawid_skene(given, 2).accuracy)
        if seed < 4:
            low, high = accuracy_intervals(given, 2, seed=seed)
            hits += (low <= accuracy) & (accuracy <= high)
    assert np.abs(np.mean(estimates, axis=0) - accuracy).max() < 0.03
    assert hits.sum() >= 16  # of 20, 19 expected


def test_a_contrarian_is_found_and_two_are_too_few() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 400)
    chance = np.array([0.9, 0.85, 0.8, 0.1])
    given = np.where(rng.random((4, 400)) < chance[:, None], truth, 1 - truth)
    found = dawid_skene(given, 2)
    assert found.accuracy[3] < 0.2
    assert (found.posterior.argmax(axis=1) == truth).mean() > 0.95
    with pytest.raises(ValueError, match="three labellers"):
        dawid_skene(given[:2], 2)
