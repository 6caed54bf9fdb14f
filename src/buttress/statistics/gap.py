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

LEAST: Final = -2.0
MOST: Final = 3.0
STEP: Final = 0.01


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
    kept = [r for r in candidates if not _excluded(p - o - r * (w - o), 1 + abs(r), alpha)]
    estimate = float((p - o).mean()) / gap
    if not kept:
        return estimate, estimate, estimate
    return estimate, min(float(kept[0]), estimate), max(float(kept[-1]), estimate)


def _excluded(values: npt.NDArray[np.float64], size: float, alpha: float) -> bool:
    """Whether a mean of 0 of values in [-size, size] is excluded."""
    weights = graded.spread((values / size + 1) / 2)[None, :]
    weights[:, graded.GRADES // 2] = 0.0  # what is 0 changes no wealth
    need = -np.log(alpha / 2)
    return bool(evidence_above(weights, 0.5)[0] >= need or evidence_below(weights, 0.5)[0] >= need)
