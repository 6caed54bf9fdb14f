"""Which trial is labelled next, and which labels were drawn so.

Chances depend on the judge's scores and on which trials are left, never on a label. So a label may
be corrected later without harm, and whether a label in the store was drawn from this population can
be checked: its chance must be what this population gives it, at its place in the order. Labels that
were not (given on request, imported, or drawn when there were fewer trials) count as known, which
is valid however they were chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.evidence.records import Label, Trial
from buttress.statistics.prediction_powered import FLOOR, chances

CHECK: Final = "check"  # the judge of outcomes that were checked exactly
SKIPPED: Final = "skipped"  # note of a label that says "can't tell", with outcome 0.5
_SAME: Final = 1e-6  # relative difference between chances


@dataclass(frozen=True, slots=True)
class LabelDraw:
    """A trial to label, and the chance that it had among those without a label."""

    trial: Trial
    chance: float


def population(trials: Iterable[Trial]) -> list[Trial]:
    """The trials that can be labelled: each answer once, not those checked exactly, by key."""
    found = {trial.key: trial for trial in trials if trial.judge != CHECK}
    return [found[key] for key in sorted(found)]


def scores(trials: Sequence[Trial]) -> npt.NDArray[np.float64]:
    """The judge's probabilities of failure, shape (N,), in [0, 1]."""
    said = np.array([trial.score for trial in trials], dtype=np.float64)
    return np.minimum(np.maximum(said, 0.0), 1.0)


def skipped(label: Label) -> bool:
    """Whether the labeller could not tell."""
    return label.note == SKIPPED and label.outcome == 0.5


class Sample:
    """Labels of a population so far, in order; the last label of a trial is the one that counts."""

    def __init__(self, trials: Sequence[Trial], labels: Iterable[Label] = ()) -> None:
        """``trials`` as from ``population``."""
        self.trials = list(trials)
        self.scores = scores(self.trials)
        numbers: dict[str, int] = {}
        self.prompts = np.array(
            [numbers.setdefault(trial.prompt_id, len(numbers)) for trial in self.trials],
            dtype=np.int64,
        )
        self._place = {trial.key: place for place, trial in enumerate(self.trials)}
        self._left = np.ones(len(self.trials), dtype=bool)
        self._labels: dict[int, Label] = {}
        self._drawn: dict[int, bool] = {}
        for label in labels:
            self.add(label)

    def add(self, label: Label) -> None:
        """Take in a label; of a trial that has one, its outcome replaces the other's."""
        place = self._place.get(label.key)
        if place is None:
            return
        if place in self._labels:
            first = self._labels[place]
            self._labels[place] = replace(label, chance=first.chance)
            return
        left = np.flatnonzero(self._left)
        here = int(np.searchsorted(left, place))
        wanted = chances(self.scores[left], FLOOR)[here]
        self._drawn[place] = abs(label.chance / wanted - 1) < _SAME
        self._labels[place] = label
        self._left[place] = False

    def next(self, seed: int) -> LabelDraw | None:
        """The trial to label next, by seed and number of labels; None when all have one."""
        left = np.flatnonzero(self._left)
        if not len(left):
            return None
        law = chances(self.scores[left], FLOOR)
        place = int(np.random.default_rng((seed, len(self._labels))).choice(len(left), p=law))
        return LabelDraw(self.trials[left[place]], float(law[place]))

    @property
    def labels(self) -> list[tuple[Trial, Label]]:
        """Trials with the label that counts, in the order of their first."""
        return [(self.trials[place], label) for place, label in self._labels.items()]

    def draws(self) -> list[tuple[int, Label, float]]:
        """Place, label and chance of each; the chance is 1 where the trial was not drawn."""
        return [
            (place, label, label.chance if self._drawn[place] else 1.0)
            for place, label in self._labels.items()
        ]
