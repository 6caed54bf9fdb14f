"""Anytime-valid confidence sequences for the mean of outcomes in [0, 1].

Betting confidence sequences (Waudby-Smith & Ramdas 2024, "Estimating means of bounded random
variables by betting", JRSS-B 86(1), sections 3 and 4): for each candidate mean m a gambler bets
against it; candidates against which the wealth reaches 1/alpha are excluded, and by Ville's
inequality the true mean is ever excluded with probability at most alpha, however often one looks.

The bets here are a mixture. A bet that would be optimal for the mean t multiplies the wealth by
(t/m)^x ((1-t)/(1-m))^(1-x). Mixed over t by a Beta(1/2, 1/2) law truncated to one side of m
(Robbins 1970), the wealth has a closed form in the number of outcomes n and their sum s alone: O(1)
memory, and a result that depends neither on batches nor on the order. The factor is convex in x, so
for
fractional outcomes it lies below the linear betting factor and the guarantee holds for these too,
with some slack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln

Array = npt.NDArray[np.float64]
_PRIOR = 0.5
_STEPS = 60
_EDGE = 1e-12


def log_wealth(total: npt.ArrayLike, count: npt.ArrayLike, mean: npt.ArrayLike) -> Array:
    """Log wealth of the gambler who bets that the true mean lies below ``mean``.

    Args:
        total: sum of outcomes, any shape.
        count: number of outcomes, same shape.
        mean: candidate in (0, 1), same shape.
    """
    s = np.asarray(total, dtype=float)
    f = np.asarray(count, dtype=float) - s
    m = np.asarray(mean, dtype=float)
    with np.errstate(divide="ignore"):
        gain = np.log(betainc(_PRIOR + s, _PRIOR + f, m)) - np.log(betainc(_PRIOR, _PRIOR, m))
    likelihood = betaln(_PRIOR + s, _PRIOR + f) - betaln(_PRIOR, _PRIOR)
    wealth: Array = likelihood + gain - s * np.log(m) - f * np.log1p(-m)
    return wealth


def upper_bound(total: npt.ArrayLike, count: npt.ArrayLike, alpha: float) -> Array:
    """Upper bound on the mean that is ever too low with probability ≤ ``alpha``.

    Args:
        total: sums of outcomes, shape (k,).
        count: numbers of outcomes, shape (k,).
        alpha: error probability in (0, 1).

    Returns:
        Bounds, shape (k,); 1 where nothing can be said yet.
    """
    s, n = np.broadcast_arrays(np.asarray(total, dtype=float), np.asarray(count, dtype=float))
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.clip(np.where(n > 0, s / np.maximum(n, 1), 0.0), _EDGE, 1 - _EDGE)
    high = np.full_like(low, 1 - _EDGE)
    need = -np.log(alpha)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        excluded = log_wealth(s, n, middle) >= need
        high = np.where(excluded, middle, high)
        low = np.where(excluded, low, middle)
    return np.where(high >= 1 - 2 * _EDGE, 1.0, high)


def lower_bound(total: npt.ArrayLike, count: npt.ArrayLike, alpha: float) -> Array:
    """Lower bound on the mean that is ever too high with probability ≤ ``alpha``; as above."""
    s, n = np.asarray(total, dtype=float), np.asarray(count, dtype=float)
    return 1.0 - upper_bound(n - s, n, alpha)


@dataclass(slots=True)
class ConfidenceSequence:
    """Two one-sided sequences over a growing sample of outcomes in [0, 1].

    The lower bound is ever wrong with probability ≤ ``alpha_low``, the upper bound with
    probability ≤ ``alpha_high``.
    """

    alpha_low: float
    alpha_high: float
    trials: int = 0
    total: float = 0.0

    def __post_init__(self) -> None:
        for alpha in (self.alpha_low, self.alpha_high):
            if not 0 < alpha < 1:
                raise ValueError(f"alpha {alpha} is not in (0, 1)")

    def update(self, outcomes: npt.ArrayLike) -> None:
        """Take in outcomes, shape (k,).

        Raises:
            ValueError: an outcome outside [0, 1].
        """
        values = np.asarray(outcomes, dtype=float).reshape(-1)
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise ValueError("outcomes must lie in [0, 1]")
        self.trials += values.size
        self.total += float(values.sum())

    @property
    def estimate(self) -> float:
        """Mean of the outcomes; 0.5 before the first."""
        return self.total / self.trials if self.trials else 0.5

    @property
    def low(self) -> float:
        """Lower bound."""
        return float(lower_bound(self.total, self.trials, self.alpha_low))

    @property
    def high(self) -> float:
        """Upper bound."""
        return float(upper_bound(self.total, self.trials, self.alpha_high))


def path(
    outcomes: npt.ArrayLike, alpha_low: float, alpha_high: float, points: int = 200
) -> tuple[npt.NDArray[np.int64], Array, Array, Array]:
    """The interval as outcomes came in, at ≤ ``points`` sample sizes.

    Args:
        outcomes: in order, shape (n,).
        alpha_low, alpha_high: as in ``ConfidenceSequence``.
        points: at most so many sizes, denser at the start.

    Returns:
        Sizes, lower bounds, upper bounds, means; shape (k,) each.
    """
    values = np.asarray(outcomes, dtype=float)
    if not values.size:
        empty = np.zeros(0)
        return empty.astype(np.int64), empty, empty, empty
    sizes = np.unique(np.geomspace(1, values.size, points).round().astype(np.int64))
    totals = np.cumsum(values)[sizes - 1]
    low = lower_bound(totals, sizes, alpha_low)
    high = upper_bound(totals, sizes, alpha_high)
    return sizes, low, high, totals / sizes
