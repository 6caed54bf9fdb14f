"""Where a rising function reaches a level, for many functions at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_MOST_STEPS: Final = 150


def first_at_least_zero(
    function: Callable[[Array], Array], low: Array, high: Array, width: float
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Where rising functions get from below 0 to 0 or above.

    A bracket is narrowed by inverse quadratic interpolation where that is safe and by halving where
    it is not (Chandrupatla 1997, "A new hybrid quadratic/bisection algorithm", Advances in
    Engineering Software 28(3)).

    Args:
        function: gives values, shape (k,), at points, shape (k,): of k functions.
        low, high: ends of the brackets, shape (k,). The functions are below 0 at ``low``.
        width: width of the brackets at the end.

    Returns:
        The upper ends of the brackets, where the functions are at least 0, shape (k,); and whether
        they are, shape (k,): a function that is below 0 at ``high`` never reaches it.
    """
    new, old = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    at_new, at_old = function(new), function(old)
    reached = at_old >= 0
    share, before, at_before = np.full(new.shape, 0.5), new, at_new
    for _ in range(_MOST_STEPS):
        if not ((np.abs(old - new) > width) & reached).any():
            break
        point = new + share * (old - new)
        at_point = function(point)
        same = (at_point >= 0) == (at_new >= 0)
        before, at_before = np.where(same, new, old), np.where(same, at_new, at_old)
        old, at_old = np.where(same, old, new), np.where(same, at_old, at_new)
        new, at_new = point, at_point
        least = np.minimum(0.5 * width / np.maximum(np.abs(old - new), width), 0.5)
        step = _share((new, old, before), (at_new, at_old, at_before))
        share = np.clip(step, least, 1 - least)
    return np.where(at_new >= 0, new, old), reached


def _share(points: tuple[Array, Array, Array], values: tuple[Array, Array, Array]) -> Array:
    """How far from the first point to the second, which hold the root, the next one lies."""
    (a, b, c), (at_a, at_b, at_c) = points, values
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        phi, xi = (at_a - at_b) / (at_c - at_b), (a - b) / (c - b)
        share = at_a / (at_b - at_a) * at_c / (at_b - at_c)
        share += (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
        safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi) & np.isfinite(share)
    return np.where(safe, share, 0.5)
