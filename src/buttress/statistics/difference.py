"""Has a failure rate risen between two assessments? A test that holds under optional stopping.

Both samples were stopped when something was decided, so tests for fixed sample sizes do not hold.
For each side the gambler's wealth of ``buttress.statistics.confidence`` against a candidate rate is
an e-process (Waudby-Smith & Ramdas 2024, JRSS-B 86(1)). If both rates were p, the product of the
wealth that bets "before lies below p" and of the one that bets "after lies above p" would be an
e-value as well, since the samples are independent (Vovk & Wang 2021, "E-values: calibration,
combination and applications", Annals of Statistics 49(3), on merging independent e-values; for two
samples Turner, Ly & Grünwald 2024, J. Stat. Planning and Inference 230). Each factor is monotone in
its candidate, so the smallest product over "before ≥ after" lies where both are equal; if even that
reaches 1/alpha, the rate has risen, with an error of at most alpha.

Two runs with the same seed ask the same prompts. The guarantee then still holds where a prompt that
is hard for one version tends to be hard for the other: the wealths are then negatively associated,
and the expected product is even smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit

from buttress.statistics.confidence import log_wealth

Array = npt.NDArray[np.float64]
_GRID: Final = 921
_SPAN: Final = 23.0  # candidates have log odds between -23 and 23


@dataclass(frozen=True, slots=True)
class FailureCount:
    """``failures`` (a fraction where the judge grades) among ``trials``."""

    trials: int
    failures: float


def log_evidence_of_rise(before: FailureCount, after: FailureCount) -> float:
    """Natural logarithm of an e-value against "the rate after is not above the rate before"."""

    def wealth(odds: npt.ArrayLike) -> Array:
        below = _wealth(before.failures, before.trials, odds)
        # Seen from the other side, a rate above p is a share of successes below 1 - p.
        above = _wealth(after.trials - after.failures, after.trials, -np.asarray(odds))
        total: Array = below + above
        return total

    grid = np.linspace(-_SPAN, _SPAN, _GRID)
    values = wealth(grid)
    place = int(np.argmin(values))
    around = (float(grid[max(0, place - 1)]), float(grid[min(_GRID - 1, place + 1)]))
    finer = minimize_scalar(lambda odds: float(wealth(odds)), bounds=around, method="bounded")
    return min(float(values[place]), float(finer.fun))


def _wealth(total: float, count: int, odds: npt.ArrayLike) -> Array:
    """Log wealth against the rate with these log odds; never below its limit at the rate 0.

    It rises with the rate from -log(2 total + 1), so the limit stands in where digits run out.
    """
    wealth: Array = np.maximum(log_wealth(total, count, expit(odds)), -math.log(2 * total + 1))
    return wealth
