"""SHA-256 of many files at once: hashing and reading both leave the interpreter's lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from buttress.files.sha256 import file_sha256
from buttress.processes import usable_processors


def sha256(files: Iterable[Path]) -> Mapping[Path, str]:
    """Digests in hex; files that can't be read are left out."""
    wanted = list(dict.fromkeys(files))
    with ThreadPoolExecutor(max_workers=usable_processors()) as pool:
        return {
            path: found for path, found in zip(wanted, pool.map(_one, wanted), strict=True) if found
        }


def _one(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return ""
