"""Multiple-choice questions: how they are put, in which order, and what an answer chose.

Models favour some letters (Zheng et al. 2024, "Large language models are not robust multiple choice
selectors", arXiv 2309.03882), so each question shows its options in a seeded random order, and
``position_bias`` measures what is left of the preference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from buttress.answers.choice_reading import LETTERS, ChoiceReading, read_choice
from buttress.probes.behaviour.bank import QuestionItem, outcome, seed_of
from buttress.protocols.judge import Judgement, abstention
from buttress.targets.base import Message

_INSTRUCTION: Final = {
    "en": "Reply with the letter of one option only.",
    "zh": "只回答一个选项的字母。",
}
NO_CHOICE: Final = "no option could be read from the answer"


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its options.

    ``unknown`` is the index of the option that says that nobody can tell, if there is one.
    """

    id: str
    stem: str
    options: tuple[str, ...]
    language: str
    unknown: int | None = None

    def __post_init__(self) -> None:
        if not 2 <= len(self.options) <= len(LETTERS):
            raise ValueError(f"{len(self.options)} options, expected 2 to {len(LETTERS)}")


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """A question as it is put. ``order[place]`` is the index of the option at that place."""

    question: Question
    order: tuple[int, ...]

    @property
    def text(self) -> str:
        """The prompt: stem, one option a line, and how to reply."""
        lines = [
            f"{LETTERS[place]}. {self.question.options[index]}"
            for place, index in enumerate(self.order)
        ]
        instruction = _INSTRUCTION[self.question.language]
        return f"{self.question.stem}\n\n" + "\n".join(lines) + f"\n\n{instruction}"

    def letter(self, option: int) -> str:
        """The letter under which the option with that index is shown."""
        return LETTERS[self.order.index(option)]

    def read(self, answer: str) -> ChoiceReading | None:
        """The place that the answer chose, or None where it can't be told."""
        unknown = self.question.unknown
        return read_choice(
            answer,
            [self.question.options[index] for index in self.order],
            unknown=None if unknown is None else self.order.index(unknown),
        )

    def chosen(self, answer: str) -> int | None:
        """The index of the option that the answer chose, or None where it can't be told."""
        reading = self.read(answer)
        return None if reading is None else self.order[reading.place]


def show(question: Question, seed: int) -> ShownQuestion:
    """The question with its options in an order that depends on seed and question only."""
    rest = seed_of(seed, question.id)
    order = list(range(len(question.options)))
    for last in range(len(order) - 1, 0, -1):  # Fisher and Yates; 8! is nothing beside 2^64
        rest, place = divmod(rest, last + 1)
        order[last], order[place] = order[place], order[last]
    return ShownQuestion(question, tuple(order))


def choice_item(
    question: Question,
    category: str,
    seed: int,
    decide: Callable[[int], tuple[float, str]],
    *,
    no_choice: float | None = None,
) -> QuestionItem:
    """An item that asks the question in its shuffled order.

    Args:
        question: what is asked.
        category: of the item.
        seed: of the options' order.
        decide: outcome and reason for the index of the chosen option.
        no_choice: the outcome where no choice can be read; None where it may be either.
    """
    shown = show(question, seed)

    def check(answer: str) -> Judgement:
        chosen = shown.chosen(answer)
        if chosen is None:
            return abstention(NO_CHOICE) if no_choice is None else outcome(no_choice, NO_CHOICE)
        failed, reason = decide(chosen)
        return outcome(failed, f"chose {shown.letter(chosen)}: {reason}")

    return QuestionItem(
        id=question.id,
        category=category,
        language=question.language,
        request=question.stem,
        messages=(Message("user", shown.text),),
        check=check,
    )


def right_or_wrong(question: Question, right: int, category: str, seed: int) -> QuestionItem:
    """An item that fails where another option than ``right`` is chosen, or none."""

    def decide(chosen: int) -> tuple[float, str]:
        return (0.0, "right") if chosen == right else (1.0, f"wrong, not {question.options[right]}")

    return choice_item(question, category, seed, decide, no_choice=1.0)
