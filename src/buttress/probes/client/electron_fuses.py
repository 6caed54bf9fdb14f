"""Fuses of Electron programs that lie beside their archive."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import Tree, TreeFile
from buttress.probes.client.programs import FUSE_MARK, fuses

_ARCHIVE: Final = "app.asar"
_LEAST: Final = 1 << 20  # bytes of a program with an engine in it
_WIRE: Final = 64  # bytes after the mark
_FRAMEWORK: Final = "Electron Framework"


def defects(tree: Tree, reading: SourceReading) -> Iterator[tuple[SourceFile, str]]:
    """Programs with fuses that are as Electron ships them, and what that means."""
    roots = {
        str(Path(file.path).parent.parent)
        for file in tree.files
        if Path(file.path).name == _ARCHIVE
    }
    if not roots:
        return
    for file in tree.files:
        path = Path(file.path)
        beside = str(path.parent) in roots
        if beside or (path.name == _FRAMEWORK and any(file.path.startswith(one) for one in roots)):
            for said in fuses(_wire(file, reading)):
                yield SourceFile(file.location, b"", file.uri), said


def _wire(file: TreeFile, reading: SourceReading) -> bytes:
    try:
        with open(file.path, "rb") as opened:
            if opened.seek(0, 2) < _LEAST:
                return b""
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                at = mapped.find(FUSE_MARK)
                return mapped[at : at + len(FUSE_MARK) + _WIRE] if at >= 0 else b""
    except (OSError, ValueError):
        reading.record_unread(file.location, "not readable")
        return b""
