"""What a single-turn attack is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from buttress.targets.base import Message


class Attack(Protocol):
    """A transformation of a request into an adversarial one.

    ``variants`` are named transformations of the family, so that a trial can say which one it
    used; ``references`` are paper, MITRE ATLAS and OWASP ids.
    """

    @property
    def id(self) -> str:
        """Name, unique among its kind."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever results may change."""
        ...

    @property
    def title(self) -> str:
        """For people, in a few words."""
        ...

    @property
    def references(self) -> tuple[str, ...]:
        """Paper, MITRE ATLAS and OWASP ids."""
        ...

    @property
    def variants(self) -> Sequence[str]:
        """Names of the transformations in the family."""
        ...

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """The messages to send. Pure: same arguments, same messages.

        Raises:
            KeyError: no such variant.
        """
        ...
