"""A part of a system, with what its files say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from buttress.provenance.licences.expression import Declared
from buttress.provenance.licences.judging import Role


@dataclass(frozen=True, slots=True)
class Component:
    """A model, an adapter, data, the code of the system, or a package that it uses.

    ``location`` is where it lies, relative to what was looked at; ``files`` are those that belong
    to it. ``bases`` are names of the weights that it was made from, ``datasets`` of the data that
    it was trained on, as its card has them. ``facts`` are figures of its configuration by name.
    ``card`` is the front matter of its card, ``sections`` its text by heading, in lower case.
    ``external``: only named by another, not there.
    """

    role: Role
    name: str
    location: str = ""
    version: str = ""
    licences: tuple[Declared, ...] = ()
    files: tuple[Path, ...] = ()
    bases: tuple[str, ...] = ()
    relation: str = ""  # to its bases: finetune, adapter, quantized, merge
    datasets: tuple[str, ...] = ()
    family: str = ""
    architecture: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    ecosystem: str = ""
    asset: str = ""
    external: bool = False
    description: str = ""


@dataclass(slots=True)
class Inventory:
    """All parts, and what could not be read.

    ``uses`` are pairs of indices into ``components``: the first uses, or was made from, the second.
    """

    components: list[Component] = field(default_factory=list)
    uses: list[tuple[int, int]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0

    def add(self, one: Component) -> int:
        """Add a part; its index."""
        self.components.append(one)
        return len(self.components) - 1
