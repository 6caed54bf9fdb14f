"""Krippendorff's alpha for nominal ratings, with a bootstrap interval over units.

Krippendorff 2018, *Content Analysis*, 4th edition, chapter 12: 1 is perfect agreement, 0 what
chance gives. Units with fewer than two ratings say nothing and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Alpha:
    """The estimate and a percentile interval, NaN where nothing varies; units with two ratings."""

    estimate: float
    low: float
    high: float
    units: int


def counts_of(ratings: npt.NDArray[np.int64], categories: int) -> Array:
    """How often each category was given to each unit, shape (units, categories).

    Args:
        ratings: 0 … categories - 1, or -1 where a rater gave none; shape (raters, units).
        categories: their number.
    """
    return np.stack([(ratings == each).sum(axis=0) for each in range(categories)], axis=1).astype(
        float
    )


def alpha_of_counts(counts: Array) -> float:
    """Alpha by the coincidence matrix; NaN where fewer than two categories occur.

    Args:
        counts: of each category for each unit, shape (units, categories).
    """
    size = counts.sum(axis=1)
    counts, size = counts[size >= 2], size[size >= 2]
    margin = counts.sum(axis=0)
    total = float(margin.sum())
    expected = total**2 - float((margin**2).sum())
    if not expected:
        return float("nan")
    disagreeing = size**2 - (counts**2).sum(axis=1)  # ordered pairs of unequal ratings
    observed = float((disagreeing / (size - 1)).sum())
    return 1 - (total - 1) * observed / expected


def alpha(
    ratings: npt.NDArray[np.int64], categories: int, *, seed: int = 0, level: float = 0.95
) -> Alpha:
    """Alpha of nominal ratings with its interval (Efron & Tibshirani 1993, chapter 13).

    Args:
        ratings, categories: as in ``counts_of``.
        seed: of the resampling of units.
        level: of the interval. Samples in which nothing varies are left out of it.
    """
    counts = counts_of(ratings, categories)
    counts = counts[counts.sum(axis=1) >= 2]
    units = len(counts)
    low = high = float("nan")
    if units:
        rng = np.random.default_rng(seed)
        found = np.array(
            [alpha_of_counts(counts[rng.integers(0, units, units)]) for _ in range(RESAMPLES)]
        )
        found = found[~np.isnan(found)]
        if found.size:
            low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Alpha(alpha_of_counts(counts), float(low), float(high), units)
