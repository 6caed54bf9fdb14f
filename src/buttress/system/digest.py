"""Content digests of assets, for the provenance of evidence."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from buttress.files.folders import CACHES, INSTALLED, VERSION_CONTROL
from buttress.files.outputs import is_output, is_output_folder
from buttress.files.sha256 import file_sha256

_SKIP: Final = VERSION_CONTROL | INSTALLED | CACHES


def digest(path: Path) -> str:
    """SHA-256, in hex, of a file's bytes, or of the sorted (path, digest) list of a folder's files.

    Links are not followed, and what is no part of the asset is left out: version control, virtual
    environments, caches, and Buttress's own outputs, which grow while a run goes on. A file that
    can't be read counts by its path alone.
    """
    if path.is_file():
        return _file(path)
    total = hashlib.sha256()
    for folder, names, files in os.walk(path):
        names[:] = sorted(name for name in names if name not in _SKIP)
        outputs = is_output_folder(folder, files)
        for name in sorted(files):
            if outputs and is_output(name):
                continue
            inside = Path(folder, name)
            if inside.is_symlink() or not inside.is_file():
                continue
            relative = inside.relative_to(path).as_posix().encode("utf-8", "surrogateescape")
            total.update(relative + b"\0" + _file(inside).encode() + b"\n")
    return total.hexdigest()


def _file(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return ""
