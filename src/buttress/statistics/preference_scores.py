"""How well a reward model's scores order pairs of answers that people have ordered.

The score difference d of the chosen answer less the rejected one makes the Bradley-Terry
probability 1 / (1 + exp(-d)) that people choose as they did (Bradley & Terry 1952). Pairs of one
prompt are one observation in all intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from buttress.statistics.confidence import ConfidenceSequence

Array = npt.NDArray[np.float64]
Prompts = npt.NDArray[np.int64]
RESAMPLES: Final = 1000
BINS: Final = 10
LEAST_RESAMPLED: Final = 10  # prompts below which a bootstrap interval says nothing


@dataclass(frozen=True, slots=True)
class ScoreFigure:
    """An estimate with its 95 % interval; NaN where there is none."""

    estimate: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class PairCalibration:
    """How far Bradley-Terry probabilities are what happens.

    Args:
        error: expected calibration error over ten bins of equally many pairs.
        error_by_chance: what the same pairs would show on average if the probabilities were right.
        brier: mean squared error of the probabilities.
        slope: factor on score differences that fits best: below 1 the scores are too sure of
            themselves. NaN where every pair is in the right or every one in the wrong order.
    """

    error: float
    error_by_chance: float
    brier: float
    slope: ScoreFigure


def accuracy(difference: Array, prompts: Prompts) -> ScoreFigure:
    """Share of pairs in the right order, ties counting half; valid at any size.

    Args:
        difference: score of the chosen answer less that of the rejected, shape (n,).
        prompts: number of each pair's prompt, from 0 without gaps, shape (n,).
    """
    right = np.where(difference > 0, 1.0, np.where(difference < 0, 0.0, 0.5))
    return mean_by_prompt(right, prompts)


def mean_by_prompt(values: Array, prompts: Prompts) -> ScoreFigure:
    """Mean over prompts of values in [0, 1] with a betting interval (``confidence``)."""
    if not len(values):
        return ScoreFigure(float("nan"), 0.0, 1.0, 0)
    _, place = np.unique(prompts, return_inverse=True)  # some prompts may be left out
    means = np.bincount(place, values) / np.bincount(place)
    sequence = ConfidenceSequence(0.025, 0.025)
    sequence.update(means)
    low, high = sequence.bounds()
    return ScoreFigure(float(means.mean()), low, high, len(values))


def calibration(difference: Array, prompts: Prompts, *, seed: int = 0) -> PairCalibration:
    """Calibration of the Bradley-Terry probabilities, shape (n,) each, n at least 1."""
    rng = np.random.default_rng(seed)
    sure = expit(np.abs(difference))  # of the order that the scores say
    right = np.where(difference > 0, 1.0, np.where(difference < 0, 0.0, 0.5))
    by_chance = np.mean(
        [calibration_error(sure, (rng.random(len(sure)) < sure).astype(float)) for _ in range(200)]
    )
    return PairCalibration(
        error=calibration_error(sure, right),
        error_by_chance=float(by_chance),
        brier=float(((1 - expit(difference)) ** 2).mean()),
        slope=_slope(difference, prompts),
    )


def calibration_error(sure: Array, right: Array) -> float:
    """Mean distance of confidence and share right, over bins of equally many pairs."""
    order = np.argsort(sure, kind="stable")
    bins = np.array_split(order, min(BINS, len(order)))
    return float(
        sum(abs(float(sure[one].mean() - right[one].mean())) * len(one) for one in bins)
        / len(order)
    )


def length_correlation(
    difference: Array, length: Array, prompts: Prompts, *, seed: int = 0
) -> ScoreFigure:
    """Correlation of score differences with differences in length, whichever answer comes first.

    Both change sign where the answers are swapped, so it is that of both orders together.

    Args:
        difference, length: of the chosen less the rejected answer, shape (n,).
        prompts: number of each pair's prompt, from 0 without gaps, shape (n,).
        seed: of the resampling.
    """
    sums = np.stack(
        [_by_prompt(one, prompts) for one in (difference * length, difference**2, length**2)]
    )
    low = high = float("nan")
    if sums.shape[1] >= LEAST_RESAMPLED:
        rng = np.random.default_rng(seed)
        weights = (_weights(sums.shape[1], rng) for _ in range(RESAMPLES))
        found = np.array([_through_zero(sums @ each) for each in weights])
        found = found[~np.isnan(found)]
        if found.size >= RESAMPLES // 2:
            low, high = (float(end) for end in np.quantile(found, [0.025, 0.975]))
    return ScoreFigure(_through_zero(sums.sum(axis=1)), low, high, len(difference))


def _through_zero(sums: Array) -> float:
    size = float(np.sqrt(sums[1] * sums[2]))
    return float(sums[0]) / size if size else float("nan")


def _weights(groups: int, rng: np.random.Generator) -> Array:
    return np.bincount(rng.integers(0, groups, groups), minlength=groups).astype(float)


def _by_prompt(values: Array, prompts: Prompts) -> Array:
    return np.bincount(prompts, values, minlength=int(prompts.max()) + 1).astype(float)


def _slope(difference: Array, prompts: Prompts) -> ScoreFigure:
    """Maximum likelihood of b in 1 / (1 + exp(-b d)) by Newton's method; NaN where unbounded.

    The interval is b ± 1.96 standard errors that allow for pairs of one prompt (Liang & Zeger
    1986); none below ten prompts.
    """
    unknown = ScoreFigure(float("nan"), float("nan"), float("nan"), len(difference))
    if not ((difference > 0).any() and (difference < 0).any()):
        return unknown
    scale = float(np.abs(difference).max())
    scaled = difference / scale
    slope = 0.0
    for _ in range(100):
        wrong = expit(-slope * scaled)
        curvature = float((scaled**2 * wrong * (1 - wrong)).sum())
        step = float((scaled * wrong).sum()) / curvature
        slope += max(-5.0, min(5.0, step))
        if abs(step) < 1e-10:
            break
    gradient = _by_prompt(scaled * expit(-slope * scaled), prompts)
    if len(gradient) < LEAST_RESAMPLED:
        return ScoreFigure(slope / scale, float("nan"), float("nan"), len(difference))
    margin = 1.96 * float(np.sqrt((gradient**2).sum())) / curvature / scale
    return ScoreFigure(slope / scale, slope / scale - margin, slope / scale + margin,
                       len(difference))  # fmt: skip
