"""Adaptive quadrature of functions with several values, which are cheap at many points at once.

Gauss-Kronrod rules of 7 and 15 points (Piessens et al. 1983): the points of the smaller rule are
among those of the larger, so that no value is wasted. The error is taken to be their difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
POINTS: Final = 15
_HALF = (
    0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
    0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
    0.586087235467691130294144691258130, 0.405845151377397166906606412076961,
    0.207784955007898467600689403773245,
)  # fmt: skip
_WEIGHTS = (
    0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
    0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
    0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
    0.204432940075298892414161999234649,
)  # fmt: skip
_GAUSS = (
    0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
    0.381830050505118944950369775488975,
)  # fmt: skip
NODES: Final[Array] = np.array([*(-one for one in _HALF), 0.0, *reversed(_HALF)])
KRONROD: Final[Array] = np.array(
    [*_WEIGHTS, 0.209482141084727828012999174891714, *reversed(_WEIGHTS)]
)
GAUSS: Final[Array] = np.zeros(POINTS)
GAUSS[1::2] = [*_GAUSS, 0.417959183673469387755102040816327, *reversed(_GAUSS)]


@dataclass(frozen=True, slots=True)
class Integral:
    """Values of the integral from 0 to 1, and the largest estimated error of one of them.

    ``points`` is at how many points the function was asked for.
    """

    values: Array
    error: float
    points: int


@dataclass(eq=False, slots=True)
class _Piece:
    low: float
    high: float
    values: Array
    error: float


def integral(
    function: Callable[[Array], Array],
    *,
    most_points: int,
    goal: float,
    total: float | None = None,
) -> Integral:
    """Integral from 0 to 1, cut where it is roughest until the error is within ``goal``.

    Args:
        function: values at points, shape (points,), as an array of shape (points, values).
        most_points: bound on the points; ``POINTS`` at least are taken.
        goal: error of each value, and of their sum where ``total`` is known.
        total: what the values sum to.
    """
    pieces = _integrated(function, [(0.0, 1.0)])
    points = POINTS
    while True:
        values: Array = np.sum([one.values for one in pieces], axis=0)
        error = sum(one.error for one in pieces)
        off = 0.0 if total is None else abs(float(values.sum()) - total)
        left = (most_points - points) // (2 * POINTS)
        if max(error, off) <= goal or left < 1:
            return Integral(values, error, points)
        rough = _roughest(pieces, goal)[:left]
        pieces = [one for one in pieces if one not in rough]
        cuts = [(one.low, (one.low + one.high) / 2, one.high) for one in rough]
        halves = [half for low, cut, high in cuts for half in ((low, cut), (cut, high))]
        pieces += _integrated(function, halves)
        points += POINTS * len(halves)


def _roughest(pieces: list[_Piece], goal: float) -> list[_Piece]:
    """The roughest pieces, as many as the rest keeps within half the goal without; one at least."""
    ordered = sorted(pieces, key=lambda one: -one.error)
    rest = sum(one.error for one in ordered)
    count = 0
    while count < len(ordered) and rest > goal / 2:
        rest -= ordered[count].error
        count += 1
    return ordered[: max(1, count)]


def _integrated(
    function: Callable[[Array], Array], spans: list[tuple[float, float]]
) -> list[_Piece]:
    points = np.concatenate([low + (NODES + 1) / 2 * (high - low) for low, high in spans])
    found = function(points).reshape(len(spans), POINTS, -1)
    return [
        _Piece(low, high, *_estimate(values, (high - low) / 2))
        for (low, high), values in zip(spans, found, strict=True)
    ]


def _estimate(values: Array, half: float) -> tuple[Array, float]:
    """Values by the larger rule, and their largest error.

    The larger rule is exact for polynomials of degree 22, the smaller for 13: the relative error
    of the larger is about that of the smaller to the power of 22/13, here 1.5 to be careful.
    """
    whole, coarse = KRONROD @ values, GAUSS @ values
    spread = KRONROD @ np.abs(values - whole / 2)  # about the mean
    off = np.abs(whole - coarse)
    share = np.divide(off, spread, out=np.ones_like(off), where=spread > 0)
    return whole * half, float((off * np.sqrt(np.minimum(share, 1.0))).max()) * half
