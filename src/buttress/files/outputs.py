"""Buttress's own outputs in a folder, which are no part of what somebody ships.

A folder is one of outputs where its evidence store is one by its content, and then only files with
the names of outputs are: whoever hides something there hides it in a report at most.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

EVIDENCE: Final = "evidence.db"
APPLICATION_ID: Final = 0x42555454  # "BUTT", at its place in the header of an SQLite file
_NAMES: Final = frozenset({"assessment.json", "report.html", "findings.sarif"})
_MAGIC: Final = b"SQLite format 3\0"
_OFFSET: Final = 68


def is_output(name: str) -> bool:
    """Whether a file has the name of an output."""
    return name in _NAMES or name == EVIDENCE or name.startswith((f"{EVIDENCE}-", f"{EVIDENCE}."))


def beside_evidence(folder: Path) -> list[str]:
    """The names of outputs in a folder that are no part of its store."""
    return sorted(name for name in _NAMES if (folder / name).is_file())


def is_output_folder(folder: str, names: Collection[str]) -> bool:
    """Whether a folder with these names in it holds an evidence store."""
    if EVIDENCE not in names:
        return False
    try:
        with open(os.path.join(folder, EVIDENCE), "rb") as file:
            header = file.read(_OFFSET + 4)
    except OSError:
        return False
    return header.startswith(_MAGIC) and int.from_bytes(header[_OFFSET:], "big") == APPLICATION_ID
