"""Many cells, e.g. attack × category: what each shows about a limit, and the worst of all.

Outcomes of a cell are weights on the grid of ``graded``. Which cell is asked next may depend on
everything seen: each trial is a fair or unfavourable bet given the joint past, so each cell's
wealth is an e-process in that past.

*The worst case.* x is the largest of the cells' upper bounds, each of error alpha, with no
division by their number. It is too low only if it is below the highest true rate, and then the
bound of the cell that has this rate is too low as well. That cell is one and the same throughout,
whichever it is, and its bound is ever too low with probability at most alpha (the
intersection-union principle: Berger 1982, "Multiparameter hypothesis testing and acceptance
sampling", Technometrics 24(4)). A cell without trials has the bound 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from buttress.statistics import graded
from buttress.statistics.confidence import bounds, log_wealth

Array = npt.NDArray[np.float64]


def evidence_below(weights: Array, limit: float) -> Array:
    """Log e-values against "the rate is at least ``limit``", shape (k,).

    Args:
        weights: outcomes as ``graded.spread`` keeps them, shape (k, 33).
        limit: in (0, 1).
    """
    wealth = np.zeros(len(weights))
    fine = weights[:, 1:-1].any(axis=1)
    if not fine.all():
        failures, trials = weights[~fine, -1], weights[~fine].sum(axis=1)
        wealth[~fine] = log_wealth(failures, trials, np.full(failures.shape, limit))
    if fine.any():
        wealth[fine] = graded.log_wealth(weights[fine], np.full(int(fine.sum()), limit))
    return wealth


def evidence_above(weights: Array, limit: float) -> Array:
    """Log e-values against "the rate is at most ``limit``"; as above."""
    return evidence_below(weights[:, ::-1], 1.0 - limit)


def cell_bounds(weights: Array, alpha_low: float, alpha_high: float) -> tuple[Array, Array]:
    """Bounds of each cell, shape (k,) each, each wrong with the error given.

    Divided by the number of cells, the errors are those of all cells together (Bonferroni).
    """
    low, high = np.zeros(len(weights)), np.ones(len(weights))
    fine = weights[:, 1:-1].any(axis=1)
    asked = weights.any(axis=1)
    for some in (asked & ~fine, fine):  # only what is graded needs the quadrature
        if some.any():
            low[some], high[some] = bounds(weights[some], alpha_low, alpha_high)
    return low, high
