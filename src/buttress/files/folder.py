"""The files of a folder, for what examines no tree together with others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from buttress.files.tree import Tree


def files(path: Path, skipped: list[str]) -> Iterator[Path]:
    """``path`` itself where it is a file, else all regular files below it, in order.

    What is left out is added to ``skipped``, in words.
    """
    tree = Tree(path)
    yield from (Path(file.path) for file in tree.files)
    skipped += tree.notes()
