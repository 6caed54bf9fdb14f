"""What changed: one fact, and the facts of a place that are told as one event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ChangeKind = Literal["changed", "reverted", "flapping"]


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact's change: the value before and after, None where it is not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(slots=True)
class PlaceChange:
    """What is told as one event: a change of facts that belong together.

    ``of`` is the number of the event that it goes back on, or goes to and fro about, 0 for none.
    """

    kind: ChangeKind
    facts: list[FactChange]
    of: int = 0
