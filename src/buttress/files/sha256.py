"""SHA-256 of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def file_sha256(path: Path, *, follow: bool = True) -> str:
    """The digest of a file's bytes, in hexadecimal; read in pieces.

    Args:
        path: of the file.
        follow: a symbolic link.

    Raises:
        OSError: it can't be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    with open(handle, "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
