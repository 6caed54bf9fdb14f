"""How unlike an answer is to those that a model gave to the same prompt before."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

_GRAM: Final = 4  # characters
_KEPT: Final = 128  # smallest hashes of a text
_ANSWERS: Final = 8  # of a prompt that are kept
_READ: Final = 4_000  # characters of an answer


def sketch(text: str) -> frozenset[int]:
    """The smallest hashes of a text's character 4-grams: a bottom-k sketch (Broder 1997)."""
    plain = " ".join(text[:_READ].lower().split())
    grams = {plain[at : at + _GRAM] for at in range(max(1, len(plain) - _GRAM + 1))}
    hashes = sorted(zlib.crc32(gram.encode("utf-8", "replace")) for gram in grams)
    return frozenset(hashes[:_KEPT])


def likeness(first: frozenset[int], second: frozenset[int]) -> float:
    """Estimate of the Jaccard similarity of two texts' 4-grams from their sketches, in [0, 1]."""
    union = sorted(first | second)[:_KEPT]
    return sum(one in first and one in second for one in union) / len(union) if union else 1.0


@dataclass(slots=True)
class ReferenceAnswers:
    """Answers by prompt, as sketches."""

    by_prompt: dict[str, list[frozenset[int]]] = field(default_factory=dict)

    def add(self, prompt: str, answer: str) -> None:
        """Keep an answer."""
        known = self.by_prompt.setdefault(prompt, [])
        if len(known) < _ANSWERS:
            known.append(sketch(answer))

    def strangeness(self, prompt: str, answer: str) -> float | None:
        """1 less the likeness to the most alike answer; None where none of the prompt is known.

        It depends on the answers that were kept and on this answer alone. So, as long as the model
        does not change, the values of later answers are independent and of one law.
        """
        known = self.by_prompt.get(prompt)
        if not known:
            return None
        mine = sketch(answer)
        return 1.0 - max(likeness(mine, one) for one in known)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> ReferenceAnswers:
        """From pairs of a prompt and an answer."""
        made = cls()
        for prompt, answer in pairs:
            made.add(prompt, answer)
        return made
