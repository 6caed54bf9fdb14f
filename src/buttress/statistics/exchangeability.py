"""Compares a stream with a reference sample by betting, without a rate that is plugged in.

As long as nothing has changed, the reference sample and what comes after it are exchangeable. Then
the rank of each new score among all scores so far, ties broken at random, is a p-value that is
uniform and independent of the earlier ones (conformal prediction: Vovk, Gammerman & Shafer 2022,
Algorithmic Learning in a Random World, 2nd edition, theorem 8.2). A bet b(p) with ∫ b = 1 is
therefore fair, whatever the law of the scores is and however small the sample: a two-sample test by
betting as in Shekhar & Ramdas (arXiv:2112.09162), for a reference that is finite. The bets here are
1 + λ (1{p ≤ c} / c - 1): that scores above the reference's (1 - c) quantile come more often than
before. ``change_detection`` makes a detector of them.

What comes after a change joins the sample. So a change is found late where the sample is small, and
a drift that is slow beside the sample's growth is not found at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

STEPS: Final = 1000  # scores are rounded to so many steps of [0, 1]
TAILS: Final = (0.02, 0.1, 0.3)
TAIL_BETS: Final = tuple(product(TAILS, (0.1, 0.4)))


@dataclass(slots=True)
class ScoreSample:
    """Scores in [0, 1], rounded to 1/1000, as counts by rounded value."""

    counts: dict[int, int] = field(default_factory=dict)
    size: int = 0

    def add(self, score: float, count: int = 1) -> None:
        """Add a score."""
        value = _rounded(score)
        self.counts[value] = self.counts.get(value, 0) + count
        self.size += count

    def remove(self, score: float) -> None:
        """Remove a score that was added."""
        value = _rounded(score)
        if self.counts.get(value, 0) > 0:
            self.counts[value] -= 1
            self.size -= 1

    @property
    def mean(self) -> float:
        """Mean of the scores; 0.5 where there are none."""
        total = sum(value * count for value, count in self.counts.items())
        return total / STEPS / self.size if self.size else 0.5

    def rank(self, score: float, tie: float) -> float:
        """The p-value of a new score, which then joins the sample.

        Args:
            score: in [0, 1]; higher is stranger.
            tie: uniform on [0, 1), drawn for this score alone.

        Returns:
            Uniform on [0, 1) where the new score is exchangeable with those before.
        """
        value = _rounded(score)
        above = sum(count for known, count in self.counts.items() if known > value)
        same = self.counts.get(value, 0) + 1
        self.add(score)
        return (above + tie * same) / self.size

    def plain(self) -> dict[str, int]:
        """The counts as JSON can hold them."""
        return {str(value): count for value, count in sorted(self.counts.items())}

    @classmethod
    def of_plain(cls, counts: Mapping[str, int]) -> ScoreSample:
        """What ``plain`` gave."""
        return cls({int(value): count for value, count in counts.items()}, sum(counts.values()))


def rate_increments(rank: float, rate: float, bets: Sequence[float]) -> list[float]:
    """Bets that the share ``rate`` of highest scores comes more often than before.

    Args:
        rank: p-value of the new score.
        rate: share of the sample, from what came before it; kept within [0.001, 0.999].
        bets: shares λ of the wealth.
    """
    tail = min(0.999, max(0.001, rate))
    gain = (1.0 / tail if rank <= tail else 0.0) - 1.0
    return [1.0 + bet * gain for bet in bets]


def tail_increments(rank: float, bets: Sequence[tuple[float, float]] = TAIL_BETS) -> list[float]:
    """The same for several shares: ``bets`` are pairs of a share and a part of the wealth."""
    return [1.0 + bet * ((1.0 / tail if rank <= tail else 0.0) - 1.0) for tail, bet in bets]


def _rounded(score: float) -> int:
    return round(min(1.0, max(0.0, score)) * STEPS)
