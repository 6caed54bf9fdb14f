"""References from the numbers of a card to the evidence behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "E"


@dataclass(frozen=True, slots=True)
class CardReference:
    """``pointer`` is a JSON pointer (RFC 6901) in ``file``; ``rests`` says what that rests on."""

    number: int
    figure: str
    file: str
    pointer: str
    rests: str


class CardReferences:
    """Numbered references, one for each place in a document."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CardReference] = {}

    def cite(self, file: str, pointer: str, figure: str, rests: str) -> str:
        """A link to the reference for that place, in Markdown."""
        key = (file, pointer)
        if key not in self._known:
            self._known[key] = CardReference(len(self._known) + 1, figure, file, pointer, rests)
        number = self._known[key].number
        return f"[{PREFIX}{number}](#{PREFIX.lower()}{number})"

    @contextmanager
    def whole_or_none(self) -> Iterator[None]:
        """What is cited inside is forgotten where an error ends it."""
        before = dict(self._known)
        try:
            yield
        except BaseException:
            self._known = before
            raise

    def all(self) -> list[CardReference]:
        """In order of their numbers."""
        return list(self._known.values())
