"""References of an HDF5 file to other files: external links, external storage, virtual datasets.

Whoever loads the weights reads those files too, whatever they are (CVE-2026-1669). The structures
are searched for by their encoding (HDF5 File Format Specification 3.0, IV.A.2.g and IV.A.2.h;
III.D and III.E for heaps), not reached through the tree of groups, so that a damaged tree hides
none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from buttress.files.byte_source import ByteSource

_LINK: Final = re.compile(rb"\x01[\x08-\x1f]\x40")  # version, flags with a type, the type: external
_STORAGE: Final = re.compile(rb"\x01\0\0\0([^\0].|\0[^\0])([^\0].|\0[^\0])", re.DOTALL)
_COLLECTION: Final = b"GCOL\x01\0\0\0"
_PAIR: Final = re.compile(rb"([\x20-\x7e]{1,1024})\0[\x20-\x7e]{1,1024}\0")
_MAX_SLOTS: Final = 4096
_MAX_LOOKS: Final = 4_000  # of addresses that turn out to hold no heap, for one piece
_BASES: Final = (0, 512, 1024, 2048)  # where the file proper may begin
_NAME: Final = 1024


def references(
    piece: bytes, source: ByteSource, cut: Callable[[], None]
) -> Iterator[tuple[int, str, str]]:
    """Offset in ``piece``, kind and file name of each reference that begins there.

    ``cut`` is called where more looks like one than is looked at.
    """
    for found in _LINK.finditer(piece):
        if name := _external_link(piece, found.start()):
            yield found.start(), "an external link", name
    looks = 0
    for found in _STORAGE.finditer(piece):
        slots, used = (int.from_bytes(one, "little") for one in found.groups())
        if used <= slots <= _MAX_SLOTS:
            looks += 1
            if looks > _MAX_LOOKS:
                cut()
                break
            address = _number(piece, found.end())
            if name := _in_heap(source, address, _number(piece, found.end() + 8)):
                yield found.start(), "external storage", name
    at = -1
    while (at := piece.find(_COLLECTION, at + 1)) >= 0:
        for name in _virtual(piece, at):
            yield at, "a virtual dataset", name


def _number(data: bytes, at: int, width: int = 8) -> int:
    return int.from_bytes(data[at : at + width], "little")


def _external_link(piece: bytes, at: int) -> str | None:
    flags = piece[at + 1]
    place = at + 3 + (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    width = 1 << (flags & 3)
    place += width + _number(piece, place, width)
    length = _number(piece, place, 2)
    value = piece[place + 2 : place + 2 + length]
    if not 4 <= length == len(value) or value[0] != 0 or value[-1] != 0 or value.count(0) != 3:
        return None
    return _text(value[1:].partition(b"\0")[0])


def _in_heap(source: ByteSource, address: int, offset: int) -> str | None:
    """The text at an offset of the local heap at that address."""
    if offset > 1 << 20:
        return None
    for base in _BASES:
        head = source.read_at(base + address, 32) if base + address < source.size else b""
        if head[:5] == b"HEAP\0":
            name = source.read_at(base + _number(head, 24) + offset, _NAME)
            return _text(name.partition(b"\0")[0])
        if base == 0 and source.read_at(0, 1) == b"\x89":
            return None  # no user block
    return None


def _virtual(piece: bytes, at: int) -> Iterator[str]:
    """Names of other files in the mappings of virtual datasets, in one global heap collection."""
    end = min(at + _number(piece, at + 8), len(piece))
    place = at + 16
    while place + 16 <= end:
        size = _number(piece, place + 8)
        block = piece[place + 16 : min(place + 16 + size, end)]
        if _number(piece, place, 2) == 0 or size == 0:
            return  # free space
        if block[:1] == b"\0" and 0 < _number(block, 1) < 1 << 32:
            for pair in _PAIR.finditer(block, 9):
                if pair[1] != b".":  # the file itself
                    yield pair[1].decode("ascii")
        place += 16 + (size + 7 & ~7)


def _text(name: bytes) -> str | None:
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() else None
