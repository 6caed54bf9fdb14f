"""The files of an input: those given, those found in folders, and what is passed over there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.errors import InputError

_PACKED: Final = (".gz", ".zst", ".xz", ".bz2")
_KINDS: Final = {
    **dict.fromkeys((".jsonl", ".jsonlines", ".ndjson", ".json"), "lines"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".txt", ".md", ".text", ".rst"), "text"),
    **dict.fromkeys((".arrow", ".feather"), "arrow"),
    ".parquet": "parquet",
}
_EXPECTED: Final = (
    "JSON Lines, JSON, CSV, TSV or text, also with .gz, .zst, .xz or .bz2, or Parquet or Arrow"
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files to read; and files of other kinds and links to folders, which nobody reads."""

    files: list[Path]
    passed_over: list[Path]


def find(paths: Sequence[Path]) -> Inputs:
    """What to read: files that are given, and those with a known suffix in folders, sorted.

    Hidden files are left out. Links to folders are not followed.

    Raises:
        InputError: a path does not exist, is of an unknown kind, or there is no file to read.
    """
    files: list[Path] = []
    passed_over: list[Path] = []
    for path in paths:
        if path.is_dir():
            for one in _shown(path):
                (files if kind_of(one) and not one.is_dir() else passed_over).append(one)
            continue
        problem = ""
        if not path.exists():
            problem = "no such file or folder"
        elif not path.is_file():
            problem = "neither a file nor a folder"
        elif not kind_of(path):
            problem = "unknown kind of file"
        if problem:
            raise InputError(problem, file=str(path), expected=_EXPECTED)
        files.append(path)
    if not files:
        raise InputError("no file to read", file=str(paths[0]), expected=_EXPECTED)
    return Inputs(list(dict.fromkeys(files)), passed_over)


def expand(paths: Sequence[Path]) -> list[Path]:
    """The files to read of ``find``."""
    return find(paths).files


def _shown(folder: Path) -> list[Path]:
    """Files, and links to folders, at any depth, sorted, but for hidden ones."""
    shown: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = Path(place)
        shown += (here / name for name in folders if os.path.islink(os.path.join(place, name)))
        shown += (
            here / name
            for name in names
            if not name.startswith(".") and os.path.isfile(os.path.join(place, name))
        )
    return sorted(shown)


def kind_of(path: Path) -> str:
    """ "lines", "csv", "text", "parquet" or "arrow" by the name; empty for other files.

    Parquet and Arrow compress by themselves, so with a suffix such as .gz they are unknown.
    """
    stem, suffix = os.path.splitext(path.name.lower())
    if suffix not in _PACKED:
        return _KINDS.get(suffix, "")
    kind = _KINDS.get(os.path.splitext(stem)[1], "")
    return "" if kind in ("parquet", "arrow") else kind
