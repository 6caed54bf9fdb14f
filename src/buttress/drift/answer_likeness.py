"""How unlike an answer is to those that a model gave before."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

_GRAM: Final = 4  # characters
_KEPT: Final = 128  # smallest hashes of a text
MOST: Final = 400  # answers that are kept
_READ: Final = 4_000  # characters of an answer


def sketch(text: str) -> frozenset[int]:
    """The smallest hashes of a text's character 4-grams: a bottom-k sketch (Broder 1997)."""
    plain = " ".join(text[:_READ].lower().split())
    grams = {plain[at : at + _GRAM] for at in range(max(1, len(plain) - _GRAM + 1))}
    hashes = sorted(zlib.crc32(gram.encode("utf-8", "replace")) for gram in grams)
    return frozenset(hashes[:_KEPT])


def likeness(first: frozenset[int], second: frozenset[int]) -> float:
    """Estimate of the Jaccard similarity of two texts' 4-grams from their sketches, in [0, 1]."""
    common = first & second
    size = len(first) + len(second) - len(common)
    if size <= _KEPT:
        return len(common) / size if size else 1.0
    union = sorted(first | second)[:_KEPT]
    return sum(one in common for one in union) / len(union)


@dataclass(slots=True)
class ReferenceAnswers:
    """Answers that a model gave, as sketches; the first ``MOST`` are kept."""

    sketches: list[frozenset[int]] = field(default_factory=list)

    def strangeness(self, answer: str) -> float:
        """1 less the likeness to the most alike of the answers; 1 where there are none.

        It depends on the answers that were kept and on this answer alone. So, as long as neither
        the model nor the questions change, the values of later answers are independent and of one
        law.
        """
        mine = sketch(answer)
        return 1.0 - max((likeness(mine, one) for one in self.sketches), default=0.0)

    @classmethod
    def of(cls, answers: Iterable[str]) -> ReferenceAnswers:
        """From answers."""
        return cls([sketch(one) for one in islice(answers, MOST)])
