"""Block messages that an application declares as its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from buttress.answers.visible import unwrapped

AROUND: Final = 300  # characters that may stand around a declared text
LOOKED_AT: Final = 1_200  # characters of an answer in which a pattern is searched for


class Searches(Protocol):
    """A compiled regular expression, of ``re`` or RE2."""

    def search(self, text: str, /) -> object:
        """A match, or None."""
        ...


@dataclass(frozen=True, slots=True)
class OwnRefusals:
    """An application's own block messages, as its manifest names them.

    ``texts`` count wherever they stand in an answer, apart from case and white space;
    ``patterns`` are regular expressions, searched for in the answer.
    """

    texts: tuple[str, ...] = ()
    patterns: tuple[Searches, ...] = ()

    def match(self, answer: str) -> bool:
        """Whether the answer is such a message, give or take ``AROUND`` characters around it."""
        said = _folded(unwrapped(answer))
        for text in self.texts:
            known = _folded(text)
            if known and known in said and len(said) - len(known) <= AROUND:
                return True
        seen = answer[:LOOKED_AT]
        return any(pattern.search(seen) for pattern in self.patterns)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
