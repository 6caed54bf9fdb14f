"""How much narrower an interval gets by labels, before anybody has given them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.labelling.sample import Sample
from buttress.statistics.prediction_powered import Draws, chances, follow
from buttress.statistics.two_stage import system_bounds

STEPS: Final = (30, 60, 120, 240)  # labels that may be asked for
SECONDS_EACH: Final = 8.0  # assumed, to read an answer and press a key
_WORTH_WHILE: Final = 0.9  # of the width now: a forecast above it is no gain
_RUNS: Final = 5


@dataclass(frozen=True, slots=True)
class Forecast:
    """``width`` is about that of the system's interval after ``labels`` more labels."""

    labels: int
    minutes: float
    width: float


def forecast(
    sample: Sample, alpha_low: float, alpha_high: float, *, width: float, seed: int = 0
) -> Forecast | None:
    """The fewest labels of ``STEPS`` that narrow the interval by a tenth at least.

    The width is the median over simulated labels that come out as the judge's scores say: where the
    judge is worse than its scores, the interval stays wider.

    Args:
        sample: the trials, with the labels that there are.
        alpha_low, alpha_high: error probabilities of the bounds, as for ``corrected_rate``.
        width: of the interval now.
        seed: of the simulation.

    Returns:
        None where no step is worth its labels, or fewer trials are left than it asks for.
    """
    steps = [step for step in STEPS if step <= len(sample.trials) - len(sample.labels)]
    rng = np.random.default_rng(seed)
    futures = [_future(sample, rng, steps[-1]) for _ in range(_RUNS)] if steps else []
    for step in steps:
        after = float(np.median([_width(one, step, alpha_low, alpha_high) for one in futures]))
        if after <= _WORTH_WHILE * width:
            return Forecast(step, step * SECONDS_EACH / 60, after)
    return None


@dataclass(frozen=True, slots=True)
class _Future:
    """The labels that there are, ``known`` of them, and simulated ones."""

    draws: Draws
    known: int


def _future(sample: Sample, rng: np.random.Generator, labels: int) -> _Future:
    rows = [(place, label.outcome, chance) for place, label, chance in sample.draws()]
    known = len(rows)
    taken = {place for place, _, _ in rows}
    left = np.array([place for place in range(len(sample.scores)) if place not in taken])
    rows += _drawn(sample.scores, left, rng, labels)
    places, outcomes, odds = zip(*rows, strict=True)
    return _Future(
        Draws(
            sample.scores,
            np.array(places),
            np.array(outcomes, dtype=float),
            np.array(odds),
            prompts=sample.prompts,
        ),
        known,
    )


def _drawn(
    scores: npt.NDArray[np.float64],
    left: npt.NDArray[np.int64],
    rng: np.random.Generator,
    labels: int,
) -> Iterator[tuple[int, float, float]]:
    """Place, simulated outcome and chance of trials drawn out of ``left``, one after the other."""
    for _ in range(labels):
        law = chances(scores[left])
        which = int(rng.choice(len(left), p=law))
        place = int(left[which])
        yield place, float(rng.random() < scores[place]), float(law[which])
        left = np.delete(left, which)


def _width(future: _Future, labels: int, alpha_low: float, alpha_high: float) -> float:
    draws, end = future.draws, future.known + labels
    seen = replace(
        draws, drawn=draws.drawn[:end], labels=draws.labels[:end], chances=draws.chances[:end]
    )
    path = follow(seen, min(alpha_low, alpha_high))
    low, high = system_bounds(path, alpha_low, alpha_high)
    return high - low
