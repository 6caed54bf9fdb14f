"""Names that installed packs add to our lists (``judge``): some allowed, some dangerous.

What a pack allows is looked up last, after our own lists: it can only change what would otherwise
be unknown. What a pack finds dangerous is looked up first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_WINDOW: Final = 12  # parts of the longest dotted name that a pack can list
_ENDS: Final = 32  # parts at either end of a long dotted name that are looked at


class Told(NamedTuple):
    """What a pack says of a name: why, and which pack it is."""

    why: str
    pack: str


@dataclass(frozen=True, slots=True)
class Added:
    """``allowed`` by module and name; dangerous dotted ``names``, and ``modules`` of which whatever
    is taken is dangerous."""

    allowed: Mapping[tuple[str, str], Told] = field(default_factory=dict)
    names: Mapping[str, Told] = field(default_factory=dict)
    modules: Mapping[str, Told] = field(default_factory=dict)

    def danger(self, module: str, name: str) -> Told | None:
        """The entry that makes ``module.name`` dangerous.

        A listed name may also be reached through another module that imported its first part.
        """
        if not self.names and not self.modules:
            return None
        stem = module.split(".")[:_WINDOW] if module else []
        tail = name.split(".")
        if len(tail) > 2 * _ENDS:
            tail = tail[:_ENDS] + tail[-_ENDS:]
        parts = stem + tail
        for begin in (0, *range(max(len(stem), 1), len(parts))):
            for end in range(begin + 1, min(len(parts), begin + _WINDOW) + 1):
                dotted = ".".join(parts[begin:end])
                found = self.names.get(dotted)
                if found is None and end < len(parts):
                    found = self.modules.get(dotted)
                if found is not None:
                    return found
        return None

    def plain(self) -> dict[str, list[list[str]]]:
        """For JSON."""
        return {
            "allowed": [[*key, one.why, one.pack] for key, one in self.allowed.items()],
            "names": [[name, one.why, one.pack] for name, one in self.names.items()],
            "modules": [[name, one.why, one.pack] for name, one in self.modules.items()],
        }

    @classmethod
    def of_plain(cls, data: dict[str, list[list[str]]]) -> Added:
        """From what ``plain`` gave."""
        return cls(
            {(module, name): Told(*rest) for module, name, *rest in data["allowed"]},
            {name: Told(*rest) for name, *rest in data["names"]},
            {name: Told(*rest) for name, *rest in data["modules"]},
        )

    def words(self) -> Iterator[str]:
        """Every module and name, as streams spell them."""
        for module, name in self.allowed:
            yield from (module, name)
        for dotted in (*self.names, *self.modules):
            yield from (dotted, *dotted.rsplit(".", 1))


NOTHING: Final = Added()


def merged(every: Iterable[Added]) -> Added:
    """All names of several packs; where two name the same, the first tells why."""
    allowed: dict[tuple[str, str], Told] = {}
    names: dict[str, Told] = {}
    modules: dict[str, Told] = {}
    for one in every:
        allowed = {**one.allowed, **allowed}
        names = {**one.names, **names}
        modules = {**one.modules, **modules}
    return Added(allowed, names, modules)
