"""Failure rates of attack × category cells that inform each other: an empirical-Bayes prior.

The log odds of a cell's prior mean are an intercept, an effect of its row and one of its column,
fitted by ridge-penalised logistic regression. Around that mean cells scatter by a beta law, and so
a cell's posterior is a beta law again (Robbins 1956; Gelman et al. 2013, Bayesian Data Analysis,
section 5.1). The prior weighs as much as three trials: where the grid is additive that is enough to
look in the right row first, and a single hot cell shows against it after a few failures. It only
steers what is asked next. ``pooling`` is the careful model for reading a finished table.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
_WEIGHT: Final = 3.0  # of the prior, in trials
_INTERCEPT_SD: Final = 2.0
_EFFECT_SD: Final = 1.0
_USUAL_RATE: Final = 0.1
_STEPS: Final = 12
_EDGE: Final = 0.002


def posterior(trials: Array, failures: Array, rows: Places, columns: Places) -> tuple[Array, Array]:
    """Parameters a, b of each cell's beta posterior.

    Args:
        trials, failures: of each cell, shape (k,); failures may be fractions.
        rows, columns: the cell's attack and category, numbered from 0; shape (k,).
    """
    mean = np.clip(_additive(trials, failures, rows, columns), _EDGE, 1 - _EDGE)
    return _WEIGHT * mean + failures, _WEIGHT * (1 - mean) + trials - failures


def _additive(trials: Array, failures: Array, rows: Places, columns: Places) -> Array:
    """Fitted rates without interaction, by Newton's method on the penalised likelihood."""
    height, width = int(rows.max()) + 1, int(columns.max()) + 1
    size = 1 + height + width
    penalty = np.full(size, _EFFECT_SD**-2)
    penalty[0] = _INTERCEPT_SD**-2
    start = np.zeros(size)
    start[0] = logit(_USUAL_RATE)
    effects = start.copy()
    row, column = 1 + rows, 1 + height + columns

    def gather(values: Array) -> Array:
        total = np.bincount(row, values, size) + np.bincount(column, values, size)
        total[0] = values.sum()
        return total.astype(float)

    for _ in range(_STEPS):
        rate = expit(effects[0] + effects[row] + effects[column])
        weight = trials * rate * (1 - rate)
        slope = gather(failures - trials * rate) - penalty * (effects - start)
        curve = np.zeros((size, size))
        sums = gather(weight)
        curve[0] = curve[:, 0] = sums
        np.add.at(curve, (row, column), weight)
        np.add.at(curve, (column, row), weight)
        curve[np.arange(size), np.arange(size)] = sums + penalty
        step = np.linalg.solve(curve, slope)
        effects += np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-6:
            break
    fitted: Array = expit(effects[0] + effects[row] + effects[column])
    return fitted
