"""How well scores tell two groups apart: area under the ROC curve, and hits at few false alarms.

Scores are higher for the first group ("members"). Equal scores count half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betaincinv
from scipy.stats import norm, rankdata

from buttress.statistics.correction import clopper_pearson

Scores = Sequence[float] | npt.NDArray[np.float64]
_EDGE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; ``value`` is None where the sample is too small for one."""

    value: float | None
    low: float
    high: float


def auc(first: Scores, second: Scores) -> float:
    """Probability that a score of the first group is above one of the second.

    Raises:
        ValueError: a group is empty.
    """
    if not len(first) or not len(second):
        raise ValueError("a group is empty")
    ranks = rankdata(np.concatenate([np.asarray(first, float), np.asarray(second, float)]))
    above = float(ranks[: len(first)].sum()) - len(first) * (len(first) + 1) / 2
    return above / (len(first) * len(second))


def auc_interval(first: Scores, second: Scores, alpha: float = 0.05) -> Estimate:
    """The area with a two-sided interval of error about ``alpha``.

    Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic, part 2", method 5: the variance of Hanley and McNeil at the bound itself, so that it
    holds near 0 and 1 as well.
    """
    value = auc(first, second)
    sizes = len(first) * len(second)
    extra = (len(first) + len(second)) / 2 - 1
    z = float(norm.isf(alpha / 2))

    def variance(area: float) -> float:
        spread = 1 + extra * ((1 - area) / (2 - area) + area / (1 + area))
        return area * (1 - area) * spread / sizes

    def bound(sign: float) -> float:
        def distance(area: float) -> float:
            return (area - value) * sign - z * math.sqrt(variance(area))

        edge = 1 - _EDGE if sign > 0 else _EDGE
        start = min(max(value, _EDGE), 1 - _EDGE)
        if distance(edge) <= 0 or distance(start) >= 0:
            return 1.0 if sign > 0 else 0.0
        return float(brentq(distance, start, edge))

    return Estimate(value, bound(-1.0), bound(1.0))


def tpr_at(first: Scores, second: Scores, rate: float, alpha: float = 0.05) -> Estimate:
    """Share of the first group above the threshold that a share ``rate`` of the second exceeds.

    Distribution-free, error at most ``alpha``: a bound on the threshold from order statistics of
    the second group, and at it the exact binomial bound on the share of the first, each side at a
    quarter of ``alpha``. ``value`` is None where the second group has fewer than 1 / rate scores.
    """
    members = np.sort(np.asarray(first, float))
    others = np.sort(np.asarray(second, float))[::-1]  # the highest first
    quarter = alpha / 4
    low = high = 0.0
    safe = _reached(len(others), rate, quarter, at_most=True)
    if safe is not None:
        hits = int(np.count_nonzero(members > others[safe]))
        low = clopper_pearson(hits, len(members), quarter)[0]
    loose = _reached(len(others), rate, quarter, at_most=False)
    high = (
        1.0
        if loose is None
        else clopper_pearson(
            int(np.count_nonzero(members >= others[loose])), len(members), quarter
        )[1]
    )
    allowed = math.floor(rate * len(others) + 1e-9)
    value = (
        float(np.count_nonzero(members > others[allowed])) / len(members)
        if 0 < allowed < len(others)
        else None
    )
    return Estimate(value, low, high)


def _reached(count: int, rate: float, alpha: float, *, at_most: bool) -> int | None:
    """Index k, from the highest, such that the share above the k-th score is surely ≤ or ≥ rate.

    The share of the population above the k-th highest of n scores (k from 0) is distributed as
    Beta(k + 1, n - k), or stochastically smaller with ties.
    """
    places = np.arange(count)
    if at_most:
        sure = betaincinv(places + 1, count - places, 1 - alpha) <= rate
        return int(places[sure].max()) if sure.any() else None
    sure = betaincinv(places + 1, count - places, alpha) >= rate
    return int(places[sure].min()) if sure.any() else None
