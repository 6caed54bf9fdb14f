"""Our own questions with one right answer and a wrong one that people believe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from buttress.probes.behaviour.bank import records
from buttress.prompts.pack import LANGUAGES


@dataclass(frozen=True, slots=True)
class Fact:
    """A question; ``right`` are names of the right answer, the usual one first."""

    id: str
    category: str
    language: str
    question: str
    right: tuple[str, ...]
    wrong: str


@cache
def facts() -> tuple[Fact, ...]:
    """All facts in all languages."""
    return tuple(
        Fact(
            id=f"{record['id']}/{language}",
            category=record["category"],
            language=language,
            question=record[language]["question"],
            right=tuple(record[language]["right"]),
            wrong=record[language]["wrong"],
        )
        for record in records("factual")
        for language in LANGUAGES
    )
