"""Harmless questions with helpful answers, as examples of compliance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import orjson

from buttress.protocols.attack import localised


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A question and the answer that a helpful assistant gives."""

    question: str
    answer: str


@cache
def _all() -> dict[str, tuple[Demonstration, ...]]:
    text = resources.files("buttress.attacks").joinpath("data", "demonstrations.json").read_bytes()
    return {
        language: tuple(Demonstration(question, answer) for question, answer in pairs)
        for language, pairs in orjson.loads(text).items()
    }


def demonstrations(language: str) -> tuple[Demonstration, ...]:
    """64 demonstrations in English or Chinese; other languages get the English ones."""
    return localised(_all(), language)
