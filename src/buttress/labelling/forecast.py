"""How much narrower an interval gets by labels, before anybody has given one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from buttress.evidence.records import Trial
from buttress.labelling.sample import population, scores
from buttress.statistics.prediction_powered import Draws, chances, follow
from buttress.statistics.two_stage import system_bounds

LABELS: Final = 30
SECONDS_EACH: Final = 8.0  # to read an answer and press a key
_RUNS: Final = 5


@dataclass(frozen=True, slots=True)
class Forecast:
    """``width`` is about that of the interval after ``labels`` more labels."""

    labels: int
    minutes: float
    width: float


def forecast(
    trials: Sequence[Trial],
    alpha_low: float,
    alpha_high: float,
    *,
    labels: int = LABELS,
    seed: int = 0,
) -> Forecast | None:
    """The width of the interval for the system's rate after so many labels.

    The median over simulated labels that come out as the judge's scores say: where the judge is
    worse than its scores, the interval stays wider. None where there are no more trials than labels
    are asked for.
    """
    known = scores(population(trials))
    if len(known) <= labels:
        return None
    rng = np.random.default_rng(seed)
    widths = []
    for _ in range(_RUNS):
        left = np.arange(len(known))
        drawn, given, odds = [], [], []
        for _ in range(labels):
            weights = chances(known[left])
            place = int(rng.choice(len(left), p=weights))
            drawn.append(int(left[place]))
            odds.append(float(weights[place]))
            given.append(float(rng.random() < known[left[place]]))
            left = np.delete(left, place)
        path = follow(
            Draws(known, np.array(drawn), np.array(given), np.array(odds)),
            min(alpha_low, alpha_high),
        )
        low, high = system_bounds(path, alpha_low, alpha_high)
        widths.append(high - low)
    return Forecast(labels, labels * SECONDS_EACH / 60, float(np.median(widths)))
