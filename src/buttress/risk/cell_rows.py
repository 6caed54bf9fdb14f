"""How the cells of a risk are told, each as a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from buttress.risk.rate import JudgedOutcomes
from buttress.statistics.correction import CorrectedSequence

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def rows(
    cells: Sequence[tuple[str, str]],
    scale: CorrectedSequence,
    counts: tuple[Array, Array],
    *,
    together: tuple[Array, Array],
    alone: Array,
    log_e: Array,
    flags: tuple[Mask, Mask],
) -> list[dict[str, Any]]:
    """Each cell for the document.

    Args:
        cells: (attack, category) of each, m in all.
        scale: turns judged rates into true ones.
        counts: trials and judged failures, shape (m,) each, as all that follows.
        together: bounds that hold for all cells at once, told as ``low`` and ``high``.
        alone: the cell's own upper bound, told as ``high_alone``; the largest of them is the
            worst-case claim.
        log_e: natural log of the e-value against "within the limit".
        flags: above the limit at the family-wise error (``shown``), and at the false discovery
            rate (``discovered``).
    """
    told = []
    for place, (attack, category) in enumerate(cells):
        own = JudgedOutcomes(round(float(counts[0][place])), float(counts[1][place]))
        low, high, estimate = scale.row(
            own.estimate, float(together[0][place]), float(together[1][place])
        )
        told.append(
            {
                "attack": attack,
                "category": category,
                "trials": own.trials,
                "failures": own.total,
                "estimate": estimate,
                "low": low,
                "high": high,
                "high_alone": scale.row(own.estimate, 0.0, float(alone[place]))[1],
                "log_e": float(log_e[place]),
                "shown": bool(flags[0][place]),
                "discovered": bool(flags[1][place]),
            }
        )
    return told


def thin(path: list[list[float]]) -> list[list[float]]:
    """Every other row, the last among them."""
    return path[(len(path) - 1) % 2 :: 2]
