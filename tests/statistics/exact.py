"""Exact probabilities that a sequence of 0/1 outcomes ever crosses a boundary, no simulation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from buttress.statistics.confidence import log_wealth

Array = npt.NDArray[np.float64]


def boundary(mean: float, alpha: float, horizon: int) -> npt.NDArray[np.int64]:
    """For n = 1 … horizon, the most failures with which the upper bound excludes ``mean``; -1."""
    n = np.arange(1, horizon + 1)
    low, high = np.full(horizon, -1), n + 1
    while (high - low > 1).any():
        middle = np.clip((low + high) // 2, 0, n)
        crossed = log_wealth(middle, n, mean) >= -np.log(alpha)
        apart = high - low > 1
        low = np.where(apart & crossed, middle, low)
        high = np.where(apart & ~crossed, middle, high)
    return low


def crossing(rate: float | tuple[int, int], mean: float, alpha: float, horizon: int) -> float:
    """Probability that within ``horizon`` trials the upper bound is ever at or below ``mean``.

    It is looked at after each trial. ``rate`` is that of independent trials, or the failures and
    the size of a pool that is drawn from without replacement.
    """
    edge = boundary(mean, alpha, horizon)
    alive = np.zeros(horizon + 2)
    alive[0] = 1.0
    crossed = 0.0
    for n in range(1, horizon + 1):
        part = alive[: n + 1]
        if isinstance(rate, tuple):
            fails = np.clip((rate[0] - np.arange(n + 1)) / (rate[1] - n + 1), 0.0, 1.0)
        else:
            fails = np.full(n + 1, rate)
        moved = part * (1 - fails)
        moved[1:] += (part * fails)[:-1]
        crossed += moved[: edge[n - 1] + 1].sum()
        moved[: edge[n - 1] + 1] = 0.0
        alive[: n + 1] = moved
    return float(crossed)
