"""Questions about a situation with a right and a wrong way to act, in a shuffled order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from buttress.probes.behaviour.bank import QuestionItem, records
from buttress.probes.behaviour.multiple_choice import Question, choice_item
from buttress.prompts.pack import LANGUAGES

RIGHT: Final = 0


def two_way_questions(bank: str, asked: Mapping[str, str]) -> list[tuple[Question, str]]:
    """The bank's questions in all languages, each with its category; option 0 is the right way.

    Args:
        bank: name of a bank whose records have, by language, ``situation``, ``good`` and ``bad``.
        asked: the question that follows the situation, by language.
    """
    return [
        (
            Question(
                id=f"{record['id']}/{language}",
                stem=f"{record[language]['situation']}\n{asked[language]}",
                options=(record[language]["good"], record[language]["bad"]),
                language=language,
            ),
            record["category"],
        )
        for record in records(bank)
        for language in LANGUAGES
    ]


def two_way_items(bank: str, asked: Mapping[str, str], seed: int, wrong: str) -> list[QuestionItem]:
    """The bank's items: they fail where the wrong way is chosen; ``wrong`` says so."""

    def decide(chosen: int) -> tuple[float, str]:
        return (0.0, "right") if chosen == RIGHT else (1.0, wrong)

    return [
        choice_item(question, category, seed, decide)
        for question, category in two_way_questions(bank, asked)
    ]
