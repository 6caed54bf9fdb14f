"""Anytime-valid confidence sequences for the mean of outcomes in [0, 1].

Betting confidence sequences (Waudby-Smith & Ramdas 2024, "Estimating means of bounded random
variables by betting", JRSS-B 86(1), sections 3 and 4): for each candidate mean m a gambler bets
against it; candidates against which the wealth reaches 1/alpha are excluded, and by Ville's
inequality the true mean is ever excluded with probability at most alpha, however often one looks.

The bets here are a mixture. The bet that is best for the mean t multiplies the wealth by
(t/m)^x ((1-t)/(1-m))^(1-x) where x is 0 or 1. Mixed over t by a Beta(1/2, 1/2) law truncated to one
side of m (Robbins 1970), the wealth has a closed form in the number of outcomes n and their sum s
alone. Why the bounds hold:

- For a mean of at least m and t < m, the expected factor given the past is
  1 + (t - m)(mean - m) / (m (1 - m)) ≤ 1. The wealth is a supermartingale that starts at 1, also
  where the outcomes' law or the choice of what to ask depends on the past.
- With t = sin²(u v) and m = sin²(v) the prior is uniform in u whatever m is, and for each u both
  (1-t)/(1-m) and t/m rise with m. So the wealth against m rises with m: all candidates above the
  first excluded one are excluded, the bound is one number, and it errs only if the wealth against
  the true mean itself reaches 1/alpha.
- The factor is convex in x, so for x between 0 and 1 the closed form lies below the straight line
  that bets on x, and still holds, but is blind to a variance below m (1 - m). ``graded`` has the
  straight line; a sequence uses it from the first such outcome on, the integral being the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln

from buttress.statistics import graded
from buttress.statistics.root_finding import first_at_least_zero

Array = npt.NDArray[np.float64]
_PRIOR: Final = 0.5
_EDGE: Final = 1e-12
_NARROW: Final = 1e-14


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
    return _first_excluded(lambda m: log_wealth(s, n, m), s / np.maximum(n, 1), alpha)


def lower_bound(total: npt.ArrayLike, count: npt.ArrayLike, alpha: float) -> Array:
    """Lower bound on the mean that is ever too high with probability ≤ ``alpha``; as above."""
    s, n = np.asarray(total, dtype=float), np.asarray(count, dtype=float)
    return 1.0 - upper_bound(n - s, n, alpha)


def _first_excluded(wealth: Callable[[Array], Array], start: Array, alpha: float) -> Array:
    """The lowest mean against which the wealth reaches 1/alpha; ``start`` is surely below it."""
    need = -np.log(alpha)
    low, high = np.clip(start, _EDGE, 1 - _EDGE), np.full(start.shape, 1 - _EDGE)
    first, found = first_at_least_zero(lambda mean: wealth(mean) - need, low, high, _NARROW)
    return np.where(found, first, 1.0)


def upper(weights: Array, alpha: float) -> Array:
    """Upper bounds from outcomes as ``graded.spread`` keeps them, shape (k, 33); shape (k,)."""
    count, total = weights.sum(axis=1), weights @ graded.GRID
    if not weights[:, 1:-1].any():
        return upper_bound(total, count, alpha)
    start = total / np.maximum(count, 1)
    return _first_excluded(lambda m: graded.log_wealth(weights, m), start, alpha)


def bounds(weights: Array, alpha_low: float, alpha_high: float) -> tuple[Array, Array]:
    """Lower and upper bounds from outcomes as ``graded.spread`` keeps them.

    Args:
        weights: shape (k, 33).
        alpha_low, alpha_high: as in ``ConfidenceSequence``.

    Returns:
        Bounds, shape (k,) each.
    """
    return 1.0 - upper(weights[:, ::-1], alpha_low), upper(weights, alpha_high)


@dataclass(slots=True)
class ConfidenceSequence:
    """Two one-sided sequences over a growing sample of outcomes in [0, 1].

    The lower bound is ever wrong with probability ≤ ``alpha_low``, the upper bound with
    probability ≤ ``alpha_high``. ``weights`` are the outcomes on the grid of ``graded``. Where an
    outcome is known in part, the lower bound takes the least and the upper bound, by ``highs``,
    the most that it can be. The two may be about outcomes by different rules: then the lower bound
    is on the mean of ``certain``, the upper bound on that of the outcomes. Bounds are running
    intersections over the times that one looked.
    """

    alpha_low: float
    alpha_high: float
    trials: int = 0
    total: float = 0.0
    weights: Array = field(default_factory=lambda: np.zeros(graded.GRADES + 1))
    highs: Array = field(default_factory=lambda: np.zeros(graded.GRADES + 1))
    _bounds: tuple[float, float] = field(init=False, default=(0.0, 1.0))
    _stale: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        for alpha in (self.alpha_low, self.alpha_high):
            if not 0 < alpha < 1:
                raise ValueError(f"alpha {alpha} is not in (0, 1)")

    def update(
        self,
        outcomes: npt.ArrayLike,
        highs: npt.ArrayLike | None = None,
        certain: npt.ArrayLike | None = None,
    ) -> None:
        """Take in outcomes, shape (k,).

        Args:
            outcomes: the outcomes, or the least that each can be.
            highs: the most that each can be, if not itself.
            certain: what the lower bound takes instead; at most the outcome. The mean of all
                outcomes does not depend on it.

        Raises:
            ValueError: an outcome outside [0, 1], above its ``highs`` or below its ``certain``.
        """
        values = np.asarray(outcomes, dtype=float).reshape(-1)
        tops = values if highs is None else np.asarray(highs, dtype=float).reshape(-1)
        least = values if certain is None else np.asarray(certain, dtype=float).reshape(-1)
        if values.size and not (values.min() >= 0 and tops.max() <= 1 and (values <= tops).all()):
            raise ValueError("outcomes must lie in [0, 1]")
        if values.size and not (least.min() >= 0 and (least <= values).all()):
            raise ValueError("certain outcomes must lie in [0, outcome]")
        self.trials += values.size
        self.total += float((values.sum() + tops.sum()) / 2)
        self.weights += graded.spread(least)
        self.highs += graded.spread(tops)
        self._stale = self._stale or bool(values.size)

    @property
    def binary(self) -> bool:
        """Whether all outcomes were 0 or 1."""
        return not self.weights[1:-1].any() and not self.highs[1:-1].any()

    @property
    def mean(self) -> float:
        """Mean of the outcomes; 0.5 before the first."""
        return self.total / self.trials if self.trials else 0.5

    @property
    def least_mean(self) -> float:
        """Mean of what the lower bound takes of the outcomes; 0 before the first."""
        return float(self.weights @ graded.GRID) / self.trials if self.trials else 0.0

    @property
    def estimate(self) -> float:
        """Mean of the outcomes, inside the bounds; 0.5 before the first."""
        low, high = self.bounds()
        return min(max(self.mean, low), high)

    @property
    def low(self) -> float:
        """Lower bound."""
        return self.bounds()[0]

    @property
    def high(self) -> float:
        """Upper bound."""
        return self.bounds()[1]

    def bounds(self) -> tuple[float, float]:
        """Lower and upper bound, never wider than at an earlier look.

        Where both have become contradictory, which happens with probability at most the sum of
        their errors, they are the last that were not.
        """
        if self._stale:
            low = 1.0 - upper(self.weights[None, ::-1], self.alpha_low)[0]
            high = upper(self.highs[None, :], self.alpha_high)[0]
            new = max(float(low), self._bounds[0]), min(float(high), self._bounds[1])
            self._bounds = new if new[0] <= new[1] else self._bounds
            self._stale = False
        return self._bounds

    def excludes_from(self, mean: float) -> bool:
        """Whether the upper bound lies, or has lain, at or below ``mean`` in (0, 1)."""
        now = self._wealth(self.highs, mean) >= -np.log(self.alpha_high)
        return bool(now or self._bounds[1] <= mean)

    def excludes_to(self, mean: float) -> bool:
        """Whether the lower bound lies, or has lain, at or above ``mean`` in (0, 1)."""
        now = self._wealth(self.weights[::-1], 1.0 - mean) >= -np.log(self.alpha_low)
        return bool(now or self._bounds[0] >= mean)

    @staticmethod
    def _wealth(weights: Array, mean: float) -> float:
        if weights[1:-1].any():
            return float(graded.log_wealth(weights[None, :], [mean])[0])
        return float(log_wealth(weights[-1], weights.sum(), mean))
