"""How many trials until a verdict: what is said of it, and Wald's approximation for many cells.

For planning only.
A gambler who bets against a false limit gains per trial about the Kullback–Leibler divergence of
the true rate from the limit (Wald 1947, Sequential Analysis, chapter 3). To accept, every cell's
wealth must get to its threshold; to reject, that of one cell above the limit. Rates are drawn from
the posterior, and the share of draws whose need is met is the chance of a decision.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

Array = npt.NDArray[np.float64]
Side = tuple[float, Array, float]
_SURE: Final = 0.8  # chance of a verdict in the end, from which it is a matter of patience
_POSSIBLE: Final = 0.2  # below which more trials are no advice
_MOST: Final = 0.7  # of that chance, for which so many trials are named


def trials_advice(sizes: npt.NDArray[np.int64], chances: Array, unit: str, otherwise: str) -> str:
    """How many more trials are likely to decide; empty where hardly any number would.

    After few trials the rate may as well lie where no number of trials decides. Then the number
    that gets most of the chance is named together with the chance.

    Args:
        sizes: further trials, rising, shape (k,).
        chances: of a verdict after so many, shape (k,).
        unit: what is counted, such as "prompts at the present rate".
        otherwise: what decides where these trials don't.
    """
    best = float(chances.max())
    if best >= _SURE:
        return f"about {int(sizes[chances >= 0.5][0]):,} more {unit}"
    if best < _POSSIBLE:
        return ""
    place = int(np.argmax(chances >= _MOST * best))
    return (
        f"about {int(sizes[place]):,} more {unit}, with a chance of {chances[place]:.0%}; "
        f"else {otherwise}"
    )


def chance_of_decision(more: Array, *, rates: Array, accept: Side, reject: Side) -> Array:
    """Probability of a verdict after so many more trials, shape (k,) as ``more``.

    Args:
        more: further trials over all cells, shape (k,).
        rates: judged rates drawn from the posterior, shape (draws, m).
        accept: limit on the judged scale, each cell's log e-value against "at least the limit",
            shape (m,), and what it must reach.
        reject: the same against "at most the limit"; all m cells share this error.
    """
    draws, cells = rates.shape
    need = np.full(draws, np.inf)
    limit, wealth, threshold = accept
    if 0 < limit < 1:
        missing = np.maximum(threshold - wealth, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(missing > 0, missing / _gain(rates, limit), 0.0)
        each[(rates >= limit) & (missing > 0)] = np.inf
        need = np.minimum(need, each.sum(axis=1))
    limit, wealth, threshold = reject
    if 0 < limit < 1:
        missing = np.maximum(threshold + np.log(cells) - wealth, 0.0)
        with np.errstate(divide="ignore"):
            each = np.where(rates > limit, missing / _gain(rates, limit), np.inf)
        need = np.minimum(need, each.min(axis=1))
    share: Array = (need[None, :] <= more[:, None]).mean(axis=1)
    return share


def _gain(rates: Array, limit: float) -> Array:
    gain: Array = rel_entr(rates, limit) + rel_entr(1 - rates, 1 - limit)
    return gain
