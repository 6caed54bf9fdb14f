"""Walks over the files of a folder without leaving it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.files.folders import CACHES, INSTALLED, VERSION_CONTROL

# Virtual environments are known by their file instead: anybody can call a folder of models "venv".
_LEFT_OUT: Final = (VERSION_CONTROL | CACHES | INSTALLED) - {".venv", "venv"}


def files(path: Path, skipped: list[str]) -> Iterator[Path]:
    """``path`` itself where it is a file, else all regular files below it, in order.

    Links are not followed: those that lead to something inside the folder are seen there anyway.
    What is left out is added to ``skipped``, in words.
    """
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        skipped.append(f"{path.name}: neither a file nor a folder")
        return
    from buttress.files.selection import selected

    chosen = selected()
    root = path.resolve()
    outside, odd = 0, 0
    left_out: Counter[str] = Counter()
    folders = [path]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            skipped.append(f"{folder.relative_to(path).as_posix()}: {error.strerror}")
            continue
        below: list[Path] = []
        for entry in entries:
            one = Path(entry.path)
            if entry.is_symlink():
                outside += not _inside(one, root)
            elif entry.is_dir(follow_symlinks=False):
                if not chosen.enters(entry.path):
                    continue
                if entry.name in _LEFT_OUT or (one / "pyvenv.cfg").is_file():
                    left_out[entry.name] += 1
                else:
                    below.append(one)
            elif entry.is_file(follow_symlinks=False):
                if chosen.reads(entry.path):
                    yield one
            else:
                odd += 1
        folders += reversed(below)
    for name, count in left_out.items():
        skipped.append(f"{count} folders {name}/: not part of the asset")
    if outside:
        skipped.append(f"{outside} links that lead out of the folder")
    if odd:
        skipped.append(f"{odd} sockets, pipes or devices")


def _inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        return False
