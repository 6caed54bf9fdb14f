"""The wealth of ``confidence`` for outcomes between 0 and 1, which their sum does not suffice for.

The bet against the mean m that is best for the mean t multiplies the wealth by 1 + l (x - m) with
l = (t - m) / (m (1 - m)): a straight line through (1-t)/(1-m) at x = 0 and t/m at x = 1. All legal
bets against means below m are of this form, so that mixing over t finds the bet that suits the
outcomes' variance (universal portfolios: Orabona & Jun 2023, "Tight concentrations and confidence
sequences from the regret of universal portfolio", IEEE Trans. Inf. Theory 70(1)).

Outcomes are kept as weights on a grid. An outcome between two grid points is split between them so
that its mean stays: the logarithm of a straight line is concave, so this can only lower the wealth,
and the guarantee holds. Memory is O(1), and order and batches don't matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
GRADES: Final = 32
GRID: Final[Array] = np.linspace(0.0, 1.0, GRADES + 1)
_LEVELS: Final = 3
_COARSE: Final[Array] = np.linspace(0.0, 1.0, 33)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_HALVINGS: Final = 16


def spread(outcomes: npt.ArrayLike) -> Array:
    """Weights of outcomes in [0, 1], shape (k,), on the grid; shape (33,), their sum is k."""
    place = np.asarray(outcomes, dtype=float).reshape(-1) * GRADES
    below = np.minimum(np.floor(place).astype(np.int64), GRADES - 1)
    share = place - below
    weights = np.bincount(below, 1.0 - share, GRADES + 1).astype(float)
    weights += np.bincount(below + 1, share, GRADES + 1)
    return weights


def log_wealth(weights: Array, mean: npt.ArrayLike) -> Array:
    """Log wealth of the gambler who bets that the true mean lies below ``mean``.

    The same integral as the closed form in ``confidence``, by quadrature: with t = sin²(u v) and
    m = sin²(v) the prior is uniform in u, and the integrand has one peak, around which the
    intervals shrink by halves. What the quadrature leaves out lowers the wealth.

    Args:
        weights: on the grid, shape (k, 33).
        mean: candidates in (0, 1), shape (k,).
    """
    used = np.flatnonzero(weights.any(axis=0))
    counted, values = weights[:, used], GRID[used]
    m = np.asarray(mean, dtype=float)[:, None]
    angle = np.arcsin(np.sqrt(m))

    def log_product(u: Array) -> Array:
        bet = (np.sin(u * angle) ** 2 - m) / (m * (1 - m))
        factors = 1.0 + bet[:, :, None] * (values - m[:, :, None])
        product: Array = np.einsum("kuv,kv->ku", np.log(np.maximum(factors, 1e-300)), counted)
        return product

    peak = _peak(log_product, len(m))
    steps = 0.5 ** np.arange(_HALVINGS)
    edges = np.clip(np.concatenate([peak - steps, peak, peak + steps[::-1]], axis=1), 0.0, 1.0)
    half = np.diff(edges, axis=1) / 2
    middle = (edges[:, 1:] + edges[:, :-1]) / 2
    nodes = (middle[:, :, None] + half[:, :, None] * _NODES).reshape(len(m), -1)
    parts = (half[:, :, None] * _WEIGHTS).reshape(len(m), -1)
    logs = log_product(nodes)
    most = logs.max(axis=1, keepdims=True)
    total: Array = most[:, 0] + np.log((parts * np.exp(logs - most)).sum(axis=1))
    return total


def _peak(log_product: Callable[[Array], Array], rows: int) -> Array:
    """Where the integrand is highest, to about 1e-4; shape (rows, 1)."""
    low, width = np.zeros((rows, 1)), np.ones((rows, 1))
    for _ in range(_LEVELS):
        grid = np.clip(low + width * _COARSE, 1e-9, 1.0 - 1e-9)
        best = np.take_along_axis(grid, log_product(grid).argmax(axis=1)[:, None], axis=1)
        width = width / 16
        low = best - width / 2
    return best
