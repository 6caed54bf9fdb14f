"""Compiled Python in the folders of skills: what runs in place of the source that people read.

Python takes ``__pycache__/NAME.cpython-…pyc`` in place of ``NAME.py`` where its header says so
(PEP 552): by the time and size of the source, by its hash, or without any comparison.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import Tree
from buttress.rules.subject import Subject, at_line

ENDING: Final = ".pyc"
MOST: Final = 4 << 20  # bytes of one file
_MAX_FILES: Final = 2_000
_HEADER: Final = 16
_NAME: Final = re.compile(rb"[\xda\x5a\xfa\x7a]([\x03-\x40])([A-Za-z_]\w*)")  # short interned texts
# Names whose use makes code act outside of its process, or run what it is given.
_ACTS: Final = frozenset(
    b"system popen Popen check_output check_call getoutput execv execve spawn spawnv urlopen "
    b"urlretrieve Request socket create_connection connect sendall eval exec compile __import__ "
    b"import_module loads b64decode a85decode fromhex decompress environ requests httpx subprocess "
    b"urllib ctypes CDLL expanduser read_bytes".split()
)


def compiled_files(tree: Tree, reading: SourceReading) -> Iterator[tuple[Path, SourceFile]]:
    """Compiled files in the folders of skills, also in those that other walks leave out."""
    seen = 0
    for file in tree.files:
        if os.path.basename(file.path).lower() != "skill.md":
            continue
        top = os.path.dirname(file.path)
        shown = file.location[: -len(os.path.basename(file.path))]
        for folder, _, names in os.walk(top):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not name.endswith(ENDING) or os.path.islink(path):
                    continue
                location = shown + os.path.relpath(path, top).replace(os.sep, "/")
                seen += 1
                if seen > _MAX_FILES:
                    reading.not_searched(location, f"more than {_MAX_FILES:,} compiled files")
                    return
                try:
                    with open(path, "rb") as compiled:
                        data = compiled.read(MOST)
                except OSError:
                    reading.record_skip(location, "not readable")
                    continue
                yield Path(path), SourceFile(location, data)


def bytecode(path: Path, data: bytes) -> Iterator[Subject]:
    """The subject of a compiled file that does something else than its source says."""
    if len(data) < _HEADER or data[2:4] != b"\r\n":
        return
    if int.from_bytes(data[4:8], "little") == 1:
        yield _subject("Python runs it without comparing it with its source", unchecked=True)
        return
    in_cache = path.parent.name == "__pycache__"
    folder = path.parent.parent if in_cache else path.parent
    source = folder / f"{path.name.split('.')[0]}.py"
    try:
        with source.open("rb") as opened:
            text = opened.read(MOST)
    except OSError:
        if not in_cache:
            yield _subject("there is no source for it", unchecked=False)
        return
    added = sorted(name for name in _names(data) & _ACTS if name not in text)
    if added:
        shown = ", ".join(name.decode() for name in added[:4])
        yield _subject(f"it uses {shown}, and its source does not", unchecked=True)


def _names(data: bytes) -> set[bytes]:
    """Names in the marshalled code, each with its length before it."""
    return {one[2] for one in _NAME.finditer(data, _HEADER) if len(one[2]) == one[1][0]} | {
        one[2][: one[1][0]] for one in _NAME.finditer(data, _HEADER)
    }


def _subject(why: str, *, unchecked: bool) -> Subject:
    kind = "skill.bytecode" if unchecked else "skill.compiled"
    return Subject(kind, why, at_line(1))
