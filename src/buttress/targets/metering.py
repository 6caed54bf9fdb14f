"""Counting what questions take, whoever asks them."""

from __future__ import annotations

from typing import Final, Protocol

from buttress.targets.base import Answer


class Meter(Protocol):
    """What is told of each attempt and of each answer."""

    def called(self) -> None:
        """A question was sent."""
        ...

    def answered(self, answer: Answer) -> None:
        """An answer came."""
        ...


class Unmetered:
    """Counts nothing."""

    def called(self) -> None:
        """See ``Meter``."""

    def answered(self, answer: Answer) -> None:
        """See ``Meter``."""


UNMETERED: Final = Unmetered()
