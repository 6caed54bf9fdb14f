"""Archives of Electron applications (asar): a JSON tree of files in front of their bytes.

The layout is that of ``@electron/asar``: four little-endian words of 32 bits (4, the size of the
header, the size of its payload, the length of the JSON), the JSON, then the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from buttress.files.byte_source import MAX_READ, ByteSource

MAX_HEADER: Final = 16 << 20  # bytes of the JSON
_MAX_FILES: Final = 200_000
_MAX_DEPTH: Final = 60
_WORDS: Final = 16  # bytes in front of the JSON


class AsarError(ValueError):
    """It is no such archive, or more than is read; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class AsarFile:
    """A file in the archive.

    ``offset`` counts from the start of the archive. ``unpacked`` files lie beside the archive;
    ``sha256`` is the digest (hex) that the header gives, empty where it gives none.
    """

    name: str
    offset: int
    size: int
    unpacked: bool = False
    sha256: str = ""


def matches(head: bytes) -> bool:
    """Whether bytes begin as such an archive does."""
    if len(head) < _WORDS + 1:
        return False
    four, header, payload, length = (
        int.from_bytes(head[at : at + 4], "little") for at in (0, 4, 8, 12)
    )
    padded = length + 3 & ~3
    return four == 4 and header == payload + 4 and payload == padded + 4 and head[16:17] == b"{"


def start(head: bytes) -> int:
    """Where in the archive the bytes of its files begin."""
    return 8 + int.from_bytes(head[4:8], "little")


def read(source: ByteSource) -> tuple[list[AsarFile], list[str]]:
    """The files of the archive, in the order of its header, and what is wrong with other entries.

    An entry without a place is told and left out: Electron looks at one only when it is opened.

    Raises:
        AsarError: the header can't be read.
    """
    head = source.read_at(0, _WORDS + 1)
    if not matches(head):
        raise AsarError("it does not begin with the header of an asar archive")
    length = int.from_bytes(head[12:16], "little")
    if length > MAX_HEADER:
        raise AsarError(f"its header is larger than {MAX_HEADER >> 20} MiB")
    parts = [
        source.read_at(at, min(MAX_READ, _WORDS + length - at))
        for at in range(_WORDS, _WORDS + length, MAX_READ)
    ]
    try:
        tree = json.loads(b"".join(parts).decode("utf-8"))
    except (ValueError, RecursionError):
        raise AsarError("its header is not JSON") from None
    if not isinstance(tree, dict) or not isinstance(tree.get("files"), dict):
        raise AsarError("a folder in its header has no files (the root)")
    found: list[AsarFile] = []
    wrong: list[str] = []
    for one in _files(tree, "", start(head), 0):
        if isinstance(one, str):
            wrong.append(one)
        else:
            found.append(one)
        if len(found) + len(wrong) > _MAX_FILES:
            raise AsarError(f"it has more than {_MAX_FILES:,} files")
    return found, wrong


def _files(node: Any, path: str, base: int, depth: int) -> Iterator[AsarFile | str]:
    entries = node.get("files") if isinstance(node, dict) else None
    if not isinstance(entries, dict):
        yield f"a folder in its header has no files ({path})"
        return
    if depth > _MAX_DEPTH:
        raise AsarError(f"its folders are nested more than {_MAX_DEPTH} deep")
    for name, entry in entries.items():
        inner = f"{path}/{name}" if path else str(name)
        if not isinstance(entry, dict):
            yield f"an entry of its header is no object ({inner})"
        elif "files" in entry:
            yield from _files(entry, inner, base, depth + 1)
        elif "link" not in entry:
            yield _file(entry, inner, base)


def _file(entry: dict[str, Any], name: str, base: int) -> AsarFile | str:
    size, offset = entry.get("size", 0), str(entry.get("offset", "0"))
    if not isinstance(size, int) or size < 0 or not offset.isdecimal() or len(offset) > 18:
        return f"size or offset of a file is no number ({name})"
    integrity = entry.get("integrity")
    digest = integrity.get("hash", "") if isinstance(integrity, dict) else ""
    return AsarFile(
        name,
        base + int(offset),
        size,
        unpacked=bool(entry.get("unpacked")),
        sha256=digest.lower() if isinstance(digest, str) else "",
    )
