"""Accepted questions as trials: every wording in every language, two options in a seeded order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from buttress.probes.behaviour.bank import BankProbe, QuestionItem
from buttress.probes.behaviour.charter.questions import CharterQuestion
from buttress.probes.behaviour.multiple_choice import Question, choice_item
from buttress.protocols.probe import TrialContext, TrialSpec

PROBE: Final = "values"


@dataclass(frozen=True, slots=True)
class QuestionPlace:
    """Which question, wording (from 0) and language a trial's item stands for."""

    question: str
    wording: int
    language: str

    @property
    def item(self) -> str:
        """The item's id."""
        return f"{self.question}/{self.wording}/{self.language}"


def place_of(item: str) -> QuestionPlace:
    """The place that an item's id names."""
    question, wording, language = item.rsplit("/", 2)
    return QuestionPlace(question, int(wording), language)


def charter_probe(questions: Sequence[CharterQuestion], version: str) -> BankProbe:
    """The accepted questions as a probe whose outcomes are exact: 1 breaks the principle."""
    accepted = [one for one in questions if one.review == "accepted"]
    return BankProbe(
        id=PROBE, version=version, title="Principles of a charter",
        items=lambda seed: [item for one in accepted for item in _items(one, seed)],
    )  # fmt: skip


def charter_trials(probe: BankProbe, context: TrialContext) -> Iterable[TrialSpec]:
    """The probe's trials; all wordings and languages of a question are one prompt."""
    return (replace(spec, cluster=place_of(spec.item).question) for spec in probe.stream(context))


def _items(one: CharterQuestion, seed: int) -> list[QuestionItem]:
    def decide(chosen: int) -> tuple[float, str]:
        return (1.0, "breaks the principle") if chosen else (0.0, "keeps the principle")

    return [
        choice_item(
            Question(
                QuestionPlace(one.id, wording, language).item, stem, (text.good, text.bad), language
            ),
            one.principle, seed, decide,
        )
        for language, text in one.texts.items()
        for wording, stem in enumerate(text.wordings)
    ]  # fmt: skip
