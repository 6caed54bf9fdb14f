"""From the rate among N trials, known in part, to the rate of the system that they were drawn from.

Two sources of chance: which trials there are, and which of them have a label. For a candidate k of
the sum of all N labels, E(k) is the wealth of the gambler on the draws (``prediction_powered``) and
F(k, m) that of the gambler on the trials (``confidence``) who would have seen the sum k. Where
several trials share a prompt, F is that of the gambler on prompts (``labelled_prompts``). Given the
trials, E at the true k is a supermartingale over the labels that starts at 1, and F has an
expectation of at most 1 against the true rate m. So their product at the true k has too, and the
smallest product over all k is no larger: where it reaches 1/alpha, m is excluded (Ville's
inequality; e-values of successive stages multiply, Vovk & Wang 2021, "E-values: calibration,
combination and applications", Ann. Statist. 49(3)). The evidence of both adds up, where an interval
about an interval would add both widths.

The number of prompts may be any stopping time of theirs, and labels may stop at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from buttress.statistics import confidence, labelled_prompts, prediction_powered
from buttress.statistics.prediction_powered import Path

_CELLS: Final = 1000  # that the possible sums of labels are cut into
_STEPS: Final = 40
_CASH: Final = 0.2  # share of the wealth on the draws that stays out of the game


def system_bounds(path: Path, alpha_low: float, alpha_high: float) -> tuple[float, float]:
    """Lower and upper bound on the system's rate, on prompts drawn as those of the trials were.

    Each is ever wrong, over all numbers of labels, with at most its probability.
    """
    if not path.total:
        return 0.0, 1.0
    return _bound(path, alpha_low, above=True), _bound(path, alpha_high, above=False)


def log_evidence(path: Path, mean: float, *, above: bool) -> float:
    """Log of an e-value against a system's rate of ``mean``, for the sum that suits it best.

    Args:
        path: from ``prediction_powered.follow``, with at least one trial.
        mean: candidate in (0, 1).
        above: whether the rate is bet to lie above it, else below.
    """
    return _evidence(path, above=above)(mean)


def _evidence(path: Path, *, above: bool) -> Callable[[float], float]:
    # The sum may be any real number: a cell counts with the least that either gambler has in it,
    # E at the end where that is closer to the estimate, F at the other.
    edges = np.linspace(*path.range, _CELLS + 1)
    near, far = (edges[1:], edges[:-1]) if above else (edges[:-1], edges[1:])
    # Some cash, for a gambler on the draws who is right about k must not lose what F has won.
    drawn = prediction_powered.log_wealth(path, near, above=above)
    drawn = np.logaddexp(drawn + np.log1p(-_CASH), np.log(_CASH))
    sums = far * path.total
    failures = path.total - sums if above else sums

    def evidence(mean: float) -> float:
        if path.prompts.alone:
            counts = np.full_like(failures, path.total)
            means = np.full_like(failures, 1 - mean if above else mean)
            wealth = confidence.log_wealth(failures, counts, means)
        else:
            wealth = labelled_prompts.log_wealth(path.prompts, sums, mean, above=above)
        return float((wealth + drawn).min())

    return evidence


def _bound(path: Path, alpha: float, *, above: bool) -> float:
    """By halves: the evidence rises with the distance of m from the estimate."""
    evidence = _evidence(path, above=above)
    need = -np.log(alpha)
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if (evidence(middle) >= need) == above:
            low = middle
        else:
            high = middle
    return low if above else high
