"""Answers that hold no text, and those that a limit of tokens has cut."""

from __future__ import annotations

import unicodedata
from typing import Final

CUT_REASONS: Final = frozenset(("length", "max_tokens", "MAX_TOKENS", "model_length"))


def says_nothing(text: str) -> bool:
    """Whether a text holds no letter, number or symbol: nothing, dots, or invisible characters."""
    return not any(unicodedata.category(sign)[0] in "LNSM" for sign in text)
