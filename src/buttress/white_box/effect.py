"""What an attack changes: the same requests, answered without and with it, judged alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from buttress.statistics.confidence import ConfidenceSequence

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Effect:
    """Failures, as judged, among ``requests`` requests; each a rate with its interval.

    ``difference`` is the rate after minus that before, of the same requests. ``gained`` requests
    fail with the attack only, ``lost`` without it only. The intervals hold at ``confidence``
    however often one looked on the way; they are for the rate that the judge sees, whose errors
    are not corrected.
    """

    requests: int
    before: float
    before_interval: Interval
    after: float
    after_interval: Interval
    difference: float
    difference_interval: Interval
    gained: int
    lost: int
    confidence: float


def effect(before: Sequence[float], after: Sequence[float], *, confidence: float = 0.95) -> Effect:
    """Compare outcomes in [0, 1] of the same requests, in the random order of the sample.

    Raises:
        ValueError: not as many of both, or none.
    """
    if len(before) != len(after) or not before:
        raise ValueError(f"{len(before)} outcomes before, {len(after)} after")
    one, other = np.asarray(before, float), np.asarray(after, float)
    alpha = (1 - confidence) / 2

    def sequence(outcomes: np.ndarray) -> ConfidenceSequence:
        made = ConfidenceSequence(alpha, alpha)
        made.update(outcomes)
        return made

    first, second = sequence(one), sequence(other)
    # The difference lies in [-1, 1]; halved and shifted it is an outcome in [0, 1].
    moved = sequence((other - one + 1) / 2)
    low, high = moved.bounds()
    return Effect(
        requests=len(before),
        before=first.estimate,
        before_interval=first.bounds(),
        after=second.estimate,
        after_interval=second.bounds(),
        difference=float((other - one).mean()),
        difference_interval=(2 * low - 1, 2 * high - 1),
        gained=int(((other >= 0.5) & (one < 0.5)).sum()),
        lost=int(((one >= 0.5) & (other < 0.5)).sum()),
        confidence=confidence,
    )
