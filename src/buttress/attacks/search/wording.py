"""Filling the texts that are shown to the attacker model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from buttress.protocols.attack import localised

_SLOT: Final = re.compile(r"\{([a-z]+)\}")
EXCERPT: Final = 600  # characters of an answer that the attacker model gets to see


def fill(texts: Mapping[str, str], language: str, **values: object) -> str:
    """The text in that language with its ``{slots}`` filled; what fills them is not read again."""
    text = localised(texts, language)
    return _SLOT.sub(lambda found: str(values.get(found[1], found[0])), text)


def excerpt(text: str, length: int = EXCERPT) -> str:
    """The beginning of a text, with a mark where it was cut."""
    text = text.strip()
    return text if len(text) <= length else f"{text[:length].rstrip()} […]"


def grade(score: float) -> int:
    """A score from 0 to 1 on the scale from 1 to 10 that attacker models are told about."""
    return 1 + round(9 * min(1.0, max(0.0, score)))
