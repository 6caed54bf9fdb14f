"""Digests of weights, remembered by path, size and time of change while the process lives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_known: dict[tuple[str, int, int], str] = {}


def file_digest(path: Path) -> str:
    """SHA-256 of the file, in hex.

    Raises:
        OSError: not readable.
    """
    state = path.stat()
    key = (str(path.resolve()), state.st_size, state.st_mtime_ns)
    if key not in _known:
        with path.open("rb") as file:
            _known[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _known[key]


def files_digest(paths: Iterable[Path]) -> str:
    """SHA-256 over names and digests of several files, in the order of their names."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(f"{path.name}\0{file_digest(path)}\n".encode())
    return whole.hexdigest()
