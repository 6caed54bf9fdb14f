"""What an inspection probe is handed: apart, so that a scan need not import what trials need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from buttress.files.tree import Tree
from buttress.packs.knowledge import OWN, Knowledge


@dataclass(frozen=True, slots=True)
class InspectionContext:
    """What an inspection probe may draw on.

    ``asset`` is the id of the asset that the files of ``tree`` belong to; ``knowledge`` is what
    installed packs add to the rules, names and digests that Buttress brings.
    """

    asset: str
    tree: Tree
    knowledge: Knowledge = OWN

    @classmethod
    def at(cls, asset: str, path: Path, knowledge: Knowledge = OWN) -> InspectionContext:
        """The context of a file or folder, all of it."""
        return cls(asset, Tree(path), knowledge)
