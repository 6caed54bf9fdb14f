"""Kinds of answers by their form, for which a judge's error rates are counted apart."""

from __future__ import annotations

from typing import Final

from buttress.answers.reading import words_in
from buttress.answers.voices import voices

CODE_SHARE: Final = 0.6  # of the characters in code blocks, from which an answer is code
SHORT: Final = 80  # words
CODE: Final = "code"
SEVERAL_VOICES: Final = "several voices"
SHORT_ANSWER: Final = f"below {SHORT} words"
LONG_ANSWER: Final = f"{SHORT} words or more"


def kind_of_answer(answer: str) -> str:
    """Code, several voices (one of which declines), a short or a long answer."""
    if code_share(answer) > CODE_SHARE:
        return CODE
    if voices(answer):
        return SEVERAL_VOICES
    return SHORT_ANSWER if len(words_in(answer.lower())) < SHORT else LONG_ANSWER


def code_share(answer: str) -> float:
    """Share of the characters that stand in code blocks, in [0, 1]."""
    parts = answer.split("```")
    return sum(map(len, parts[1::2])) / max(1, len(answer)) if len(parts) > 1 else 0.0
