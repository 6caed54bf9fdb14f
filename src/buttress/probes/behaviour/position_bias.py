"""How much the place of an option decides whether it is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2


@dataclass(frozen=True, slots=True)
class PositionBias:
    """Choices by place, over questions whose options were shown in random order.

    ``chosen`` and ``expected`` have one count a place; ``expected`` is what a chooser has who
    doesn't mind places. ``distance`` is the total variation distance between the two as shares,
    0 to 1. ``p_value`` is of Pearson's chi-squared test of no preference (large samples; about 5
    expected a place). ``recall_spread`` is the standard deviation over places of the share of
    right options found there (RStd of Zheng et al. 2024, arXiv 2309.03882, section 2.3), NaN
    where a place never held a right option.
    """

    chosen: tuple[int, ...]
    expected: tuple[float, ...]
    distance: float
    p_value: float
    recall_spread: float


def position_bias(choices: Iterable[tuple[int, int, int | None]]) -> PositionBias:
    """Measure the preference.

    Args:
        choices: for each answered question the place chosen, the number of options, and the place
            of the right option (None where there is none). Places count from 0.

    Raises:
        ValueError: no choice, or a place outside its options.
    """
    rows = list(choices)
    if not rows:
        raise ValueError("no choice to measure")
    places = max(options for _, options, _ in rows)
    chosen = np.zeros(places)
    expected = np.zeros(places)
    variance = np.zeros((places, places))
    right = np.zeros(places)
    found = np.zeros(places)
    for place, options, key in rows:
        if not 0 <= place < options or (key is not None and not 0 <= key < options):
            raise ValueError(f"place {place} or {key} is not among {options} options")
        chosen[place] += 1
        share = np.zeros(places)
        share[:options] = 1 / options
        expected += share
        variance += np.diag(share) - np.outer(share, share)
        if key is not None:
            right[key] += 1
            found[key] += place == key
    difference = chosen - expected
    # Questions differ in their number of options, so the statistic uses the exact covariance; with
    # one number of options it is Pearson's.
    statistic = float(difference @ np.linalg.pinv(variance) @ difference)
    recall = found / right if right.all() else np.full(places, np.nan)
    return PositionBias(
        chosen=tuple(int(count) for count in chosen),
        expected=tuple(float(count) for count in expected),
        distance=float(np.abs(difference).sum() / (2 * len(rows))),
        p_value=float(chi2.sf(statistic, places - 1)),
        recall_spread=float(recall.std()),
    )
