"""What a check saw of a place: its facts in one view or several, or why it saw nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class PlaceView:
    """A place, such as ``page /login``, as a check saw it.

    ``samples`` are the facts of each view. ``only`` are names of the facts that were looked for,
    None for all. ``problem`` says why nothing can be said of it; it has no samples then.
    """

    place: str
    samples: list[Mapping[str, str]] = field(default_factory=list)
    only: frozenset[str] | None = None
    problem: str = ""
