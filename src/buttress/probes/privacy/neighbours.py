"""Texts that differ from one by a few words, for the neighbourhood attack.

Words are replaced by words of other texts. The attack's paper takes a masked language model to
choose them; without one the neighbours are less fluent, and the attack may be weaker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Final

SHARE: Final = 0.1  # of the words
_WORD: Final = re.compile(r"[\u3400-\u9fff]|\w+")


def word_pool(texts: Sequence[str]) -> list[str]:
    """All words of the texts, as often as they stand there."""
    return [word for text in texts for word in _WORD.findall(text)]


def neighbours(text: str, pool: Sequence[str], count: int, seed: int) -> list[str]:
    """``count`` texts in each of which a tenth of the words, at least one, is replaced."""
    places = [found.span() for found in _WORD.finditer(text)]
    if not places or not pool:
        return []
    generator = Random(f"neighbours {seed} {text}")
    size = max(1, round(SHARE * len(places)))
    made = []
    for _ in range(count):
        parts, last = [], 0
        for start, end in sorted(generator.sample(places, size)):
            parts += [text[last:start], generator.choice(pool)]
            last = end
        made.append("".join([*parts, text[last:]]))
    return made
