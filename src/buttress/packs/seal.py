"""Writes the digests of a pack's files into its ``pack.yaml``."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.files.atomic import write_whole
from buttress.packs.bundle import read_files
from buttress.packs.manifest import FILE_NAME

_FIELD: Final = re.compile(r"""(\bsha256["']?\s*:\s*)(?:"[^"\n]*"|'[^'\n]*'|[^\s,}"'#]*)""")


def seal(folder: Path) -> int:
    """Put the digest of each file at its ``sha256``; everything else stays as it is.

    Returns:
        How many digests changed.

    Raises:
        InputError: not a folder with a ``pack.yaml``; an entry without ``path`` or ``sha256``; a
            file that is missing.
    """
    if not folder.is_dir():
        raise InputError("not a folder", file=str(folder), expected=f"a folder with {FILE_NAME}")
    path = folder / FILE_NAME
    located = located_yaml.load(path)
    files = read_files(folder)
    entries = located.data.get("contents") if isinstance(located.data, dict) else None
    if not isinstance(entries, list):
        raise located.error(("contents",), "is not a list", "a list of files")
    lines = path.read_text(encoding="utf-8").split("\n")
    changed = 0
    for index, entry in enumerate(entries):
        at = ("contents", index)
        name = entry.get("path") if isinstance(entry, dict) else None
        number = located.lines.get((*at, "sha256"))
        if not isinstance(name, str) or number is None:
            raise located.error(at, "'path' or 'sha256' is missing", "both; sha256 may be empty")
        if name not in files:
            raise located.error((*at, "path"), f"no such file: {name[:80]}", "a file of the pack")
        digest = hashlib.sha256(files[name]).hexdigest()
        line, count = _FIELD.subn(rf"\g<1>{digest}", lines[number - 1])
        if count != 1:
            raise located.error((*at, "sha256"), "not alone on its line", "one entry on a line")
        changed += line != lines[number - 1]
        lines[number - 1] = line
    write_whole(path, "\n".join(lines).encode(), FILE_NAME)
    return changed
