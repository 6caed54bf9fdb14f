"""Confidence sequences for the mean of a finite set that is drawn without replacement.

Waudby-Smith & Ramdas 2020, "Confidence sequences for sampling without replacement", NeurIPS 33:
once n of N outcomes with the sum s are seen, what is left has the mean (N m - s) / (N - n) if that
of the whole set is m. Only the order of the draws is random, so nothing is assumed of the outcomes:
neither that they are independent nor that they come from any population. When all are seen the
mean is known.

Draws may be weighted (Shekhar, Xu, Lipton, Liang & Ramdas 2023, "Risk-limiting financial audits via
weighted sampling without replacement", UAI). An item i counts with its share p of the whole and is
drawn with probability q of those that are left; then z = x p / q has the mean m - S given the past,
where S is the sum of p x over what was seen. Equal shares are the case p = 1 / N, q = 1 / (N - n).

The bets are those of ``confidence``: against the candidate m the bet that is best for t multiplies
the wealth by 1 + (t' - m')(z - m') / (m' (a - m')), with t' = t - S, m' = m - S and a the largest z
that can come. Mixed over t = sin²(u v), m = sin²(v), with u uniform on a fixed set of points: each
factor rises with m, so that all candidates above the first excluded one are excluded. A bet on a t
that has become impossible, t < S, has lost all. For outcomes 0 and 1 with equal shares the wealth
is a ratio of hypergeometric likelihoods.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Array = npt.NDArray[np.float64]
_NODES: Final[Array] = (np.arange(64) + 0.5) / 64
_STEPS: Final = 44
_TINY: Final = 1e-12
_SURE: Final = 700.0  # log wealth against what can't be


@dataclass(frozen=True, slots=True)
class Draw:
    """How an item was drawn from the set.

    Args:
        share: of the whole that the item counts, p; all shares sum to 1.
        ratio: p / q, with q its probability to be drawn next.
        most: the largest ratio that any item left had.
    """

    share: float
    ratio: float
    most: float


def log_wealth(failures: float, trials: int, size: int, mean: npt.ArrayLike) -> Array:
    """Log wealth of the gambler who bets that the set's mean lies below ``mean``.

    Args:
        failures: outcomes that were 1, of ``trials`` drawn from ``size`` items.
        trials: n ≤ N.
        size: N.
        mean: candidates in (0, 1), shape (k,).
    """
    m = np.atleast_1d(np.asarray(mean, dtype=float))
    safe = trials - failures
    angle = np.arcsin(np.sqrt(m))
    other = np.sin(angle[:, None] * _NODES) ** 2
    need = _log_likelihood(m * size, failures, safe, size)
    known = np.where(np.isfinite(need), need, 0.0)  # what can't be is dealt with below
    found = _log_likelihood(other * size, failures, safe, size) - known[:, None]
    wealth = np.logaddexp.reduce(found, axis=1) - math.log(_NODES.size)
    wealth = np.where(size * (1 - m) < safe - _TINY * size, _SURE, wealth)
    return np.where(size * m < failures - _TINY * size, -_SURE, wealth)


def _log_likelihood(count: Array, failures: float, safe: float, size: int) -> Array:
    """Of the outcomes in their order, if ``count`` items of the set are 1; shape as ``count``."""
    with np.errstate(invalid="ignore"):
        ones = gammaln(count + 1) - gammaln(count - failures + 1)
        zeros = gammaln(size - count + 1) - gammaln(size - count - safe + 1)
    possible = (count >= failures - _TINY * size) & (size - count >= safe - _TINY * size)
    return np.where(possible, ones + zeros, -np.inf)


@dataclass(slots=True)
class _Side:
    """One gambler, who bets that the mean lies low; outcomes that are not 0 or 1 or not evenly
    drawn need his wealth for each candidate and bet."""

    alpha: float
    size: int | None
    candidates: Array
    failures: float = 0.0
    trials: int = 0
    seen: float = 0.0  # share-weighted sum of outcomes
    left: float = 1.0  # share that was not drawn yet
    bound: float = 1.0  # running intersection
    _history: list[tuple[float, Draw]] = field(default_factory=list)
    _logs: Array | None = None

    def update(self, outcome: float, draw: Draw) -> None:
        even = self.size is not None and outcome in (0.0, 1.0)
        if self._logs is None and even:
            self._history.append((outcome, draw))
        elif self._logs is None:
            self._logs = np.zeros((self.candidates.size, _NODES.size))
            seen = 0.0
            for earlier, how in self._history:
                self._bet(earlier, how, seen)
                seen += how.share * earlier
            self._history.clear()
        if self._logs is not None:
            self._bet(outcome, draw, self.seen)
        self.trials += 1
        self.failures += outcome
        if self.size is not None:  # not summed up, or rounding would put the mean beside a limit
            self.seen = self.failures / self.size
            self.left = (self.size - self.trials) / self.size
        else:
            self.seen += draw.share * outcome
            self.left = max(0.0, self.left - draw.share)

    def _bet(self, outcome: float, draw: Draw, seen: float) -> None:
        assert self._logs is not None
        angle = np.arcsin(np.sqrt(self.candidates))[:, None]
        m = (self.candidates - seen)[:, None]
        t = np.maximum(np.sin(angle * _NODES) ** 2 - seen, 0.0)
        top = draw.most
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = 1.0 + (t - m) * (outcome * draw.ratio - m) / (m * (top - m))
            step = np.log(np.maximum(factor, 0.0))
        step = np.where(m >= top - _TINY, _SURE, step)  # more than can be left
        step = np.where(m <= _TINY, 0.0 if outcome == 0 else -_SURE, step)
        gone = np.sin(angle * _NODES) ** 2 < seen + draw.share * outcome - _TINY
        self._logs = np.where(gone, -2 * _SURE, np.clip(self._logs + step, -2 * _SURE, _SURE))

    def log_wealth(self, mean: float) -> float:
        """Against one candidate; those of the grid where the wealth is kept by candidates."""
        if self._logs is None:
            assert self.size is not None
            return float(log_wealth(self.failures, self.trials, self.size, [mean])[0])
        place = int(np.searchsorted(self.candidates, mean + _TINY, side="right")) - 1
        if place < 0:
            return -_SURE
        return float(np.logaddexp.reduce(self._logs[place]) - math.log(_NODES.size))

    def refresh(self) -> None:
        """Bring the bound up to date."""
        self.bound = min(self.bound, self.upper(self.alpha))

    def upper(self, alpha: float) -> float:
        """The upper bound by what was seen up to now, of the error ``alpha``."""
        return min(self.seen + self.left, self._excluded(alpha))

    def _excluded(self, alpha: float) -> float:
        need = -math.log(alpha)
        if self._logs is not None:
            wealth = np.logaddexp.reduce(self._logs, axis=1) - math.log(_NODES.size)
            kept = np.flatnonzero(wealth < need)
            place = int(kept[-1]) + 1 if kept.size else 0
            return float(self.candidates[place]) if place < self.candidates.size else 1.0
        if not self.trials:
            return 1.0
        assert self.size is not None
        low, high = max(self.seen, _TINY), 1.0 - _TINY
        if low >= high:
            return 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            if self.log_wealth(middle) >= need:
                high = middle
            else:
                low = middle
        return high


class FiniteSequence:
    """Lower and upper bound on the mean of a finite set, as it is drawn without replacement.

    Each is ever wrong with probability ≤ its alpha. Bounds shown are running intersections.

    Args:
        alpha_low, alpha_high: of the lower and the upper bound, in (0, 1).
        size: number of items, where all count alike; None where draws are weighted.
        limits: means that are asked about exactly; others are rounded to a grid where outcomes
            are graded or draws are weighted.
        candidates: points of that grid.
    """

    def __init__(
        self,
        alpha_low: float,
        alpha_high: float,
        size: int | None,
        limits: Sequence[float] = (),
        candidates: int = 400,
    ) -> None:
        for alpha in (alpha_low, alpha_high):
            if not 0 < alpha < 1:
                raise ValueError(f"alpha {alpha} is not in (0, 1)")
        if size is not None and size < 1:
            raise ValueError("a set has at least one item")
        self.alpha_low, self.alpha_high, self.size = alpha_low, alpha_high, size
        extra = np.array([mean for mean in limits if 0 < mean < 1])
        grid = np.sin(np.linspace(0.0, np.pi / 2, candidates + 2)[1:-1]) ** 2
        above = np.unique(np.concatenate([grid, extra]))
        below = np.unique(np.concatenate([grid, 1 - extra]))
        self._high = _Side(alpha_high, size, above)
        self._low = _Side(alpha_low, size, below)
        self._total = self._least = 0.0

    def update(
        self,
        outcomes: npt.ArrayLike,
        highs: npt.ArrayLike | None = None,
        draws: Sequence[Draw] | None = None,
    ) -> None:
        """Take in outcomes in [0, 1], shape (k,), in the order in which they were drawn.

        Args:
            outcomes: what is known; where it is known in part, the least that it can be.
            highs: the most that it can be, same shape; None where it is the same.
            draws: how each was drawn; None where all items count alike.

        Raises:
            ValueError: an outcome outside [0, 1], more than the set holds, or no ``draws``.
        """
        lows = np.asarray(outcomes, dtype=float).reshape(-1)
        tops = lows if highs is None else np.asarray(highs, dtype=float).reshape(-1)
        if lows.size and not (lows.min() >= 0 and tops.max() <= 1 and (lows <= tops).all()):
            raise ValueError("outcomes must lie in [0, 1]")
        if draws is None:
            if self.size is None:
                raise ValueError("weighted draws must be described")
            if self.trials + lows.size > self.size:
                raise ValueError(f"more outcomes than the set's {self.size}")
            draws = [self._even(self.trials + place) for place in range(lows.size)]
        for low, high, draw in zip(lows, tops, draws, strict=True):
            self._low.update(1.0 - float(low), draw)
            self._high.update(float(high), draw)
            self._total += (float(low) + float(high)) / 2
            self._least += float(low)
        if lows.size:
            self._low.refresh()
            self._high.refresh()

    def _even(self, drawn: int) -> Draw:
        assert self.size is not None
        ratio = (self.size - drawn) / self.size
        return Draw(1.0 / self.size, ratio, ratio)

    @property
    def trials(self) -> int:
        """Number of outcomes."""
        return self._high.trials

    @property
    def total(self) -> float:
        """Sum of the outcomes; the middle, where one is known in part."""
        return self._total

    @property
    def complete(self) -> bool:
        """Whether everything has been drawn."""
        return self.trials > 0 and self._high.left < _TINY * 1e3

    @property
    def low(self) -> float:
        """Lower bound."""
        return max(0.0, 1.0 - self._low.bound)

    @property
    def high(self) -> float:
        """Upper bound."""
        return max(self._high.bound, self.low)

    @property
    def mean(self) -> float:
        """What was seen, and the mean outcome for the rest; 0.5 before the first."""
        if not self.trials:
            return 0.5
        seen = (self._high.seen + (1.0 - self._high.left) - self._low.seen) / 2
        return seen + self._high.left * self._total / self.trials

    @property
    def least_mean(self) -> float:
        """As ``mean``, of the least that each outcome can be; 0 before the first."""
        if not self.trials:
            return 0.0
        seen = (1.0 - self._high.left) - self._low.seen
        return max(0.0, seen) + self._high.left * self._least / self.trials

    @property
    def estimate(self) -> float:
        """``mean`` inside the bounds."""
        return min(max(self.mean, self.low), self.high)

    def log_evidence_below(self, mean: float) -> float:
        """Log e-value against "the set's mean is above ``mean``"."""
        if self._high.seen + self._high.left <= mean + _TINY:
            return _SURE
        return self._high.log_wealth(mean)

    def log_evidence_above(self, mean: float) -> float:
        """Log e-value against "the set's mean is at most ``mean``"."""
        if 1.0 - self._low.seen - self._low.left > mean + _TINY:
            return _SURE
        return self._low.log_wealth(1 - mean)

    def upper_at(self, alpha: float) -> float:
        """Upper bound by what was seen up to now, of another error than ``alpha_high``."""
        return self._high.upper(alpha)

    def excludes_from(self, mean: float) -> bool:
        """Whether the mean is, or was, shown to lie at or below ``mean``."""
        return self.high <= mean + _TINY or self.log_evidence_below(mean) >= -math.log(
            self.alpha_high
        )

    def excludes_to(self, mean: float) -> bool:
        """Whether the mean is, or was, shown to lie above ``mean``."""
        shown = self.log_evidence_above(mean) >= -math.log(self.alpha_low)
        return self.low > mean + _TINY or shown
