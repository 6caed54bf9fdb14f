"""How much of the gap between two accuracies a third one recovers, paired and at any time.

With p, o and w the outcomes of protocol, overseer and worker on one item, the share r recovered
solves E[(p - o) - r (w - o)] = 0. For each candidate r a gambler bets on that mean (Fieller 1954's
idea with the betting sequences of ``confidence`` instead of a normal law); the interval is the hull
of the candidates that are not excluded. It holds at all times of stopping together.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.statistics import graded
from buttress.statistics.cells import evidence_above, evidence_below

Array = npt.NDArray[np.float64]
LEAST: Final = -2.0
MOST: Final = 3.0
STEP: Final = 0.01
_PARTS: Final = 10  # of the candidates, which bounds memory


def gap_recovered(
    overseer: npt.ArrayLike, worker: npt.ArrayLike, protocol: npt.ArrayLike, alpha: float = 0.05
) -> tuple[float, float, float] | None:
    """Estimate, lower and upper end of the share of the gap that the protocol recovers.

    Args:
        overseer, worker, protocol: whether each was right, in [0, 1], shape (n,); place i of all is
            the same item.
        alpha: error probability of the interval.

    Returns:
        None where the means of overseer and worker do not differ. Ends are cut at -2 and 3, where
        the interval may go on: near a gap of 0 it holds everything.
    """
    o, w, p = (np.asarray(one, dtype=float).reshape(-1) for one in (overseer, worker, protocol))
    gap = float((w - o).mean()) if o.size else 0.0
    if not gap:
        return None
    candidates = np.arange(LEAST, MOST + STEP / 2, STEP)
    weights = np.stack([_weights(p - o - r * (w - o), 1 + abs(r)) for r in candidates])
    kept = candidates[
        ~np.concatenate([_excluded(one, alpha) for one in np.array_split(weights, _PARTS)])
    ]
    estimate = float((p - o).mean()) / gap
    if not kept.size:
        return estimate, estimate, estimate
    return estimate, min(float(kept[0]), estimate), max(float(kept[-1]), estimate)


def _weights(values: Array, size: float) -> Array:
    """Values in [-size, size] on the grid of ``graded``, where 0 is in the middle; shape (33,)."""
    weights = graded.spread((values / size + 1) / 2)
    weights[graded.GRADES // 2] = 0.0  # what is 0 changes no wealth
    return weights


def _excluded(weights: Array, alpha: float) -> npt.NDArray[np.bool_]:
    """Whether a mean of 0 is excluded; weights of shape (k, 33) on the grid, the result (k,)."""
    need = -np.log(alpha / 2)
    evidence = np.maximum(evidence_above(weights, 0.5), evidence_below(weights, 0.5))
    excluded: npt.NDArray[np.bool_] = evidence >= need
    return excluded
