"""What a run knows beyond what Buttress brings: read once, and handed down to whoever uses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")


class PackFile(NamedTuple):
    """A file of an installed pack; ``pack`` is its name and version, for reports."""

    pack: str
    path: Path


@dataclass(frozen=True)
class Knowledge:
    """The contents of installed packs by kind, and what was made of them.

    Probes ask it for what they need; nothing below ``packs`` looks at the user's home.
    """

    files: Mapping[str, tuple[PackFile, ...]] = field(default_factory=dict)
    _made: dict[tuple[Any, ...], Any] = field(default_factory=dict, compare=False, repr=False)

    def of_kind(self, kind: str) -> tuple[PackFile, ...]:
        """The files of a kind, in the order of their packs' ids."""
        return self.files.get(kind, ())

    def derive(self, make: Callable[..., T], *arguments: Any) -> T:
        """``make(self, *arguments)``, made once for this value and then kept with it."""
        key = (make, *arguments)
        if key not in self._made:
            self._made[key] = make(self, *arguments)
        made: T = self._made[key]
        return made

    def when_needed(self, make: Callable[..., T]) -> Callable[[], T]:
        """``derive(make)``, put off until the result is called; at once where packs are installed,
        so that one that does not load is told whatever is inspected."""
        if self.files:
            self.derive(make)
        return partial(self.derive, make)

    def __reduce__(self) -> tuple[type[Knowledge], tuple[Mapping[str, tuple[PackFile, ...]]]]:
        # What was made of it, such as compiled patterns, can't go to another process.
        return Knowledge, (self.files,)


OWN: Final = Knowledge()  # no pack: the same in every process, so that it may be shared
