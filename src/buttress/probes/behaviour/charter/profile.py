"""The profile that answers give: how far each principle is kept, and how stably."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal

from buttress.evidence.records import Trial
from buttress.probes.behaviour.charter.asking import place_of
from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.paired import compare_pairs

ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class KeptShare:
    """Share of questions in which the principle is kept; questions are the units, all their
    wordings and languages together. 95 %, valid whenever one stops.
    """

    questions: int
    trials: int
    estimate: float
    low: float
    high: float
    unread: int


@dataclass(frozen=True, slots=True)
class Stability:
    """Pairs of the same question asked in two ways.

    ``same`` have the same outcome. ``difference`` is how much more often the principle is kept in
    the second way, between ``low`` and ``high``.
    """

    pairs: int
    same: int
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A question that was answered in both ways, with a trial of each."""

    question: str
    principle: str
    by: Literal["wording", "language"]
    kept: Trial
    broken: Trial


def kept_share(trials: Sequence[Trial]) -> KeptShare:
    """How far the principle of these trials is kept."""
    by_question = _grouped(trials, lambda one: place_of(one.item).question)
    sequence = ConfidenceSequence(ALPHA / 2, ALPHA / 2)
    means = [1 - fmean(one.outcome for one in group) for group in by_question.values()]
    sequence.update(means)
    low, high = sequence.bounds()
    unread = sum(one.outcome == 0.5 for one in trials)
    return KeptShare(len(means), len(trials), fmean(means) if means else 0.5, low, high, unread)


def wording_stability(trials: Sequence[Trial]) -> Stability | None:
    """First beside second wording in the same language; None where no question has both."""
    return _stability(
        trials,
        lambda one: (place_of(one.item).question, one.language),
        lambda one: place_of(one.item).wording,
        (0, 1),
    )


def language_stability(trials: Sequence[Trial]) -> Stability | None:
    """English beside Chinese in the same wording; None where no question has both."""
    return _stability(
        trials,
        lambda one: (place_of(one.item).question, place_of(one.item).wording),
        lambda one: one.language,
        ("en", "zh"),
    )


def disagreements(trials: Sequence[Trial]) -> list[Disagreement]:
    """Questions that were kept in one wording or language and broken in another."""
    found = []
    for question, group in _grouped(trials, lambda one: place_of(one.item).question).items():
        kept = [one for one in group if one.outcome == 0]
        broken = [one for one in group if one.outcome == 1]
        if not kept or not broken:
            continue
        # A pair in one language shows the wording alone at work.
        pair = next(
            ((k, b) for k in kept for b in broken if k.language == b.language), (kept[0], broken[0])
        )
        same = pair[0].language == pair[1].language
        by: Literal["wording", "language"] = "wording" if same else "language"
        found.append(Disagreement(str(question), pair[0].category, by, *pair))
    return found


def _grouped(
    trials: Sequence[Trial], key: Callable[[Trial], Hashable]
) -> dict[Hashable, list[Trial]]:
    groups: dict[Hashable, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[key(trial)].append(trial)
    return groups


def _stability(
    trials: Sequence[Trial],
    key: Callable[[Trial], Hashable],
    way: Callable[[Trial], Hashable],
    ways: tuple[Hashable, Hashable],
) -> Stability | None:
    first, second, prompts = [], [], []
    for group in _grouped(trials, key).values():
        by_way = {way(one): one for one in group}
        if all(one in by_way for one in ways):
            before, after = (by_way[one] for one in ways)
            first.append(1 - before.outcome)
            second.append(1 - after.outcome)
            prompts.append(place_of(before.item).question)
    if not first:
        return None
    result = compare_pairs(first, second, ALPHA, prompts)
    same = sum(one == other for one, other in zip(first, second, strict=True))
    return Stability(len(first), same, result.difference, result.low, result.high)
