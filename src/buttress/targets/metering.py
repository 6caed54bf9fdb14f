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

    def timed_out(self, prompt_tokens: int) -> None:
        """No answer came in time to a question of about so many tokens, which was read."""
        ...


class Unmetered:
    """Counts nothing."""

    def called(self) -> None:
        """See ``Meter``."""

    def answered(self, answer: Answer) -> None:
        """See ``Meter``."""

    def timed_out(self, prompt_tokens: int) -> None:
        """See ``Meter``."""


UNMETERED: Final = Unmetered()
