"""Detects that a stream of outcomes has changed, with a bounded rate of false alarms.

Shiryaev-Roberts e-detectors (Shin, Ramdas & Rinaldo 2024, "E-detectors: a nonparametric framework
for sequential change detection", NEJSDS 2(2), arXiv:2203.03532). An increment is a bet on one
outcome that is fair, or worse, as long as nothing has changed: its expectation given the past is at
most 1. The statistic M ← L (M + 1) adds the wealth of a gambler who begins anew at every outcome.
Before a change E M(n) ≤ n. So, with an alarm at M ≥ A and a new start after it,

- P(alarm within n outcomes) ≤ n / A (Doob's inequality for the submartingale M), and
- the expected number of alarms within n outcomes is at most n / A.

Neither needs a law of the outcomes. A mixture of several bets is again such a statistic. K streams
with n(k) outcomes a year have at most Σ n(k) / A false alarms a year together, however the streams
depend on each other: expectations add up.

Outcomes that only make a reference sample are outcomes too. The bet on each of them is to stake
nothing, L = 1, so M grows by one an outcome, and the bets on what follows begin at the size of the
sample: a head start (the SR-r procedure of Moustakides, Polunchenko & Tartakovsky 2011, Statistica
Sinica 21). Both bounds hold with n counted from the first outcome of the sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
BETS: Final = (0.02, 0.05, 0.1, 0.2, 0.4)  # shares of the wealth that are staked
# What each bet gets of the mixture: most for rates that grow by half to threefold, which a watch is
# to find soon, little for jumps, which any bet finds. Any weights that are fixed keep the bound.
WEIGHTS: Final = (0.2, 0.35, 0.25, 0.15, 0.05)
_LARGEST: Final = 1e280
_HEAD_START_PART: Final = 0.05  # of the threshold: a head start alone is this likely to alarm


def threshold(outcomes_per_year: Iterable[float], false_alarms_per_year: float) -> float:
    """The value of the statistic at which all streams raise an alarm.

    Args:
        outcomes_per_year: of each stream.
        false_alarms_per_year: how many are accepted, over all streams together.

    Raises:
        ValueError: a number that is not above 0, or no stream.
    """
    total = float(sum(outcomes_per_year))
    if not (total > 0 and false_alarms_per_year > 0):
        raise ValueError("expected numbers above 0")
    return max(1.0, total / false_alarms_per_year)


def head_start(reference: int, threshold: float) -> float:
    """The value that the statistic has after a reference sample, on which nothing was staked.

    It is kept below 5 % of the threshold, so that a head start leads to a false alarm with at most
    that probability, however large the sample is.

    Args:
        reference: outcomes in the sample.
        threshold: value of the statistic that raises an alarm.
    """
    return min(float(reference), _HEAD_START_PART * threshold)


def increments(outcomes: npt.ArrayLike, limit: float, bets: Sequence[float] = BETS) -> Array:
    """Bets on bounded outcomes whose mean is at most ``limit`` before a change.

    Args:
        outcomes: in [0, 1], of any shape.
        limit: in (0, 1).
        bets: shares λ of the wealth, in (0, 1].

    Returns:
        1 + λ (x / limit - 1), shape (*outcomes, bets).
    """
    x = np.asarray(outcomes, dtype=float)[..., None]
    made: Array = 1.0 + np.asarray(bets) * (x / limit - 1.0)
    return made


@dataclass(slots=True)
class ChangeDetector:
    """The statistic of one stream, over a mixture of bets.

    ``weights`` are those of the bets, which sum to 1; equal where none are given. ``outcomes``
    counts them since the start; ``wealth`` is M of each bet. ``best`` is the largest wealth that
    any single start has now, ``start`` the outcome at which that one began.
    """

    bets: int = len(BETS)
    outcomes: int = 0
    wealth: list[float] = field(default_factory=list)
    best: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wealth = self.wealth or [0.0] * self.bets
        self.best = self.best or [1.0] * self.bets
        self.start = self.start or [0] * self.bets
        self.weights = self.weights or [1.0 / self.bets] * self.bets

    @property
    def statistic(self) -> float:
        """M of the mixture."""
        return sum(part * one for part, one in zip(self.weights, self.wealth, strict=True))

    @property
    def onset(self) -> int:
        """Number of the outcome, from 0, from which on a change explains the outcomes best.

        The start with the largest wealth, as the maximum likelihood estimate with the bet as
        likelihood ratio.
        """
        return self.start[max(range(self.bets), key=self.best.__getitem__)]

    def update(self, increment: Sequence[float]) -> float:
        """Take the bets' increments on one outcome; returns the statistic.

        Args:
            increment: of each bet, ≥ 0.

        Raises:
            ValueError: another number of bets.
        """
        if len(increment) != self.bets:
            raise ValueError(f"expected {self.bets} increments")
        for place, factor in enumerate(increment):
            self.wealth[place] = min(_LARGEST, factor * (self.wealth[place] + 1.0))
            if self.best[place] <= 1.0:
                self.best[place], self.start[place] = 1.0, self.outcomes
            self.best[place] = min(_LARGEST, self.best[place] * factor)
        self.outcomes += 1
        return self.statistic

    def plain(self) -> dict[str, Any]:
        """The state as JSON can hold it."""
        return {
            "outcomes": self.outcomes,
            "wealth": list(self.wealth),
            "best": list(self.best),
            "start": list(self.start),
            "weights": list(self.weights),
        }

    @classmethod
    def of_plain(cls, state: dict[str, Any]) -> ChangeDetector:
        """What ``plain`` gave."""
        return cls(len(state["wealth"]), **state)
