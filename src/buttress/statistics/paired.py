"""The same items asked twice: has the failure rate risen? Holds at any time of stopping.

With a pair's outcomes a before and b after, d = b - a lies in [-1, 1]. The gambler of ``graded``
who bets against the mean 1/2 of (d + 1) / 2 never gains or loses where a = b. For outcomes 0 and 1
he therefore bets on the discordant pairs alone, as McNemar's test does (McNemar 1947, Psychometrika
12(2)), and his wealth is the closed form of ``confidence`` in the numbers of pairs that got worse
and better. It is an e-process against "on average, pairs do not get worse". What a pair has in
common, a hard prompt, cancels: where pairs correlate, far fewer trials show a difference than for
two separate samples. Several pairs of one prompt (variants, samples, translations) are one
observation, the mean of their differences: a change that one prompt suffers shows in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from buttress.statistics import graded
from buttress.statistics.cells import evidence_above, evidence_below
from buttress.statistics.confidence import bounds

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class PairedResult:
    """What pairs show.

    Args:
        pairs: number of pairs; ``worse`` and ``better`` have a higher and a lower second outcome.
        prompts: number of observations that the bounds and evidence rest on.
        difference: mean over prompts of second less first; between ``low`` and ``high`` with
            probability at least 1 - alpha, at all times of stopping together.
        log_rise: log e-value against "the second is not higher on average".
        log_fall: log e-value against "the second is not lower on average".
    """

    pairs: int
    prompts: int
    worse: int
    better: int
    difference: float
    low: float
    high: float
    log_rise: float
    log_fall: float


def compare_pairs(
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    alpha: float = ALPHA,
    prompts: Sequence[str] | None = None,
) -> PairedResult:
    """Compare outcomes in [0, 1], shape (n,) each; place i of both is the same item.

    Args:
        before, after: the outcomes.
        alpha: error probability of the interval, in (0, 1).
        prompts: the prompt of each pair, shape (n,); None where each has its own.

    Raises:
        ValueError: shapes differ, an outcome outside [0, 1], or alpha outside (0, 1).
    """
    first = np.asarray(before, dtype=float).reshape(-1)
    second = np.asarray(after, dtype=float).reshape(-1)
    if first.shape != second.shape or (prompts is not None and len(prompts) != first.size):
        raise ValueError("both sides of a pair are needed")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha {alpha} is not in (0, 1)")
    both = np.concatenate([first, second])
    if both.size and not (both.min() >= 0 and both.max() <= 1):
        raise ValueError("outcomes must lie in [0, 1]")
    change = second - first
    unit = change
    if prompts is not None and first.size:
        _, place = np.unique(np.asarray(prompts), return_inverse=True)
        unit = np.bincount(place, change) / np.bincount(place)
    weights = graded.spread((unit + 1) / 2)[None, :]
    low, high = bounds(weights, alpha / 2, alpha / 2) if first.size else ([0.0], [1.0])
    moved = weights.copy()
    moved[:, graded.GRADES // 2] = 0.0  # pairs that are equal change no wealth
    return PairedResult(
        pairs=first.size,
        prompts=unit.size,
        worse=int((change > 0).sum()),
        better=int((change < 0).sum()),
        difference=float(unit.mean()) if first.size else 0.0,
        low=float(2 * low[0] - 1),
        high=float(2 * high[0] - 1),
        log_rise=float(evidence_above(moved, 0.5)[0]),
        log_fall=float(evidence_below(moved, 0.5)[0]),
    )
