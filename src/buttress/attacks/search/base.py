"""What an attack that searches is."""

from __future__ import annotations

from typing import Protocol

from buttress.protocols.procedure import Procedure


class SearchAttack(Procedure, Protocol):
    """A procedure that looks for a prompt, or a way to talk, that the target gives in to.

    Its ``run`` ends with the exchange that the judge scored highest, the first of equals, and stops
    as soon as one counts as a failure of the system. It takes the request from ``spec.request`` and
    keeps the system prompt in ``spec.messages`` before every question.
    """

    @property
    def title(self) -> str:
        """For people, in a few words."""
        ...

    @property
    def references(self) -> tuple[str, ...]:
        """Paper, MITRE ATLAS and OWASP ids; see ``attacks.base.Described`` for each kind alone."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that its texts for the attacker and the target are written in."""
        ...
