"""Accuracy of labellers without a known truth (Dawid & Skene 1979, Applied Statistics 28(1)).

Each labeller has a confusion matrix, each unit a true category; expectation-maximisation finds
both. It takes labellers as independent given the truth: those who copy from each other look more
accurate than they are. At least three labellers are needed, since two who disagree say nothing
about who is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LEAST_LABELLERS: Final = 3
RESAMPLES: Final = 200
_STEPS: Final = 500
_SETTLED: Final = 1e-7
_SMOOTHING: Final = 0.01  # ratings added to each cell, so that no chance is 0


@dataclass(frozen=True, slots=True)
class Truth:
    """What was found.

    Args:
        accuracy: chance that a labeller is right, shape (labellers,).
        confusion: chance of each rating by true category, shape (labellers, true, given).
        prior: share of each true category, shape (categories,).
        posterior: chances of each true category of each unit, shape (units, categories).
    """

    accuracy: Array
    confusion: Array
    prior: Array
    posterior: Array


def dawid_skene(ratings: npt.NDArray[np.int64], categories: int) -> Truth:
    """Fit the model, from the majority's ratings.

    Args:
        ratings: 0 … categories - 1, or -1 where there is none; shape (labellers, units).
        categories: their number.

    Raises:
        ValueError: fewer than three labellers, or no unit.
    """
    _check(ratings)
    patterns, place, weights = _patterns(ratings)
    truth = _fit(_one_hot(patterns, categories), weights)
    return Truth(truth.accuracy, truth.confusion, truth.prior, truth.posterior[place])


def accuracy_intervals(
    ratings: npt.NDArray[np.int64], categories: int, *, seed: int = 0, level: float = 0.95
) -> tuple[Array, Array]:
    """Percentile bootstrap over units: lowest and highest accuracy, shape (labellers,) each.

    Raises:
        ValueError: as ``dawid_skene``.
    """
    _check(ratings)
    rng = np.random.default_rng(seed)
    units = ratings.shape[1]
    patterns, _, weights = _patterns(ratings)
    given = _one_hot(patterns, categories)
    start = _fit(given, weights).posterior
    drawn = rng.multinomial(units, weights / units, RESAMPLES).astype(float)
    found = np.array([_fit(given, each, start).accuracy for each in drawn])
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _check(ratings: npt.NDArray[np.int64]) -> None:
    if ratings.shape[0] < LEAST_LABELLERS or not ratings.shape[1]:
        raise ValueError("at least three labellers and a unit are needed")


def _patterns(
    ratings: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Array]:
    """Units that were rated alike are one: their ratings, the place of each unit, their number."""
    patterns, place, count = np.unique(ratings, axis=1, return_inverse=True, return_counts=True)
    return patterns, place.reshape(-1), count.astype(float)


def _one_hot(ratings: npt.NDArray[np.int64], categories: int) -> Array:
    """Shape (labellers, units, categories); all 0 where there is no rating."""
    return np.stack([ratings == each for each in range(categories)], axis=2).astype(float)


def _fit(given: Array, weights: Array, start: Array | None = None) -> Truth:
    """Expectation-maximisation over patterns with these weights, shape (patterns,)."""
    if start is None:
        start = given.sum(axis=0) + 1e-9
        start = start / start.sum(axis=1, keepdims=True)
    posterior = start
    for _ in range(_STEPS):
        counted = posterior * weights[:, None]
        prior = counted.sum(axis=0) / weights.sum()
        confusion = counted.T @ given + _SMOOTHING
        confusion /= confusion.sum(axis=2, keepdims=True)
        logs = np.log(prior + 1e-300) + (given @ np.log(confusion).swapaxes(1, 2)).sum(axis=0)
        logs -= logs.max(axis=1, keepdims=True)
        after = np.exp(logs)
        after /= after.sum(axis=1, keepdims=True)
        moved = float(np.abs(after - posterior).max())
        posterior = after
        if moved < _SETTLED:
            break
    return Truth(np.einsum("t,ltt->l", prior, confusion), confusion, prior, posterior)
