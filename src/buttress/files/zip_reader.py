"""A zip reader that goes on where Python's ``zipfile`` refuses: PyTorch's own reader does too.

Wrong checksums, odd flags and headers that contradict each other are reported, not obeyed
(PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from buttress.files.byte_source import ByteSource

LOCAL: Final = b"PK\x03\x04"
LOCAL_LENGTH: Final = 30  # of its fixed part
_CENTRAL: Final = b"PK\x01\x02"
_END: Final = b"PK\x05\x06"
_TAIL: Final = 22 + 65535
MAX_MEMBERS: Final = 200_000
_MAX_END_RECORDS: Final = 64
_NAME_KEPT: Final = 1024
_PIECE: Final = 1 << 20
_LONGEST: Final = 46 + 3 * 65535  # an entry of the directory
STORED: Final = 0


class Member(NamedTuple):
    """An entry of the central directory, or of a local header where there is no directory."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int  # declared sizes in bytes
    expanded: int
    header: int  # offset of the local header
    mode: int  # Unix mode, 0 where unknown

    @property
    def encrypted(self) -> bool:
        """Whether it claims to be."""
        return bool(self.flags & 1)


class Local(NamedTuple):
    """A local header and where its data begins."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    expanded: int
    data: int


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies. ``shift``: bytes before the archive proper.

    ``finish``: where the archive ends, after ``comment`` bytes of a comment.
    """

    start: int
    size: int
    count: int
    shift: int
    end: int
    finish: int
    comment: int


def directories(source: ByteSource) -> list[Directory]:
    """The central directories that readers may take: the last one, and all at the very end.

    A comment may hold an end record of its own; then readers differ in which one they use.
    """
    size = source.size
    begin = max(0, size - _TAIL)
    tail = source.read_at(begin, size - begin)
    found: list[Directory] = []
    at = len(tail)
    for _ in range(_MAX_END_RECORDS):
        at = tail.rfind(_END, 0, max(at - 1, 0) + len(_END)) if at < len(tail) else tail.rfind(_END)
        if at < 0:
            break
        record = tail[at : at + 22]
        exact = len(record) == 22 and at + 22 + record[20] + 256 * record[21] == len(tail)
        if (exact or not found) and (one := _directory(source, record, begin + at)) is not None:
            found.append(one)
    return found


def _directory(source: ByteSource, record: bytes, position: int) -> Directory | None:
    if len(record) < 22:
        return None
    count, size, offset, comment = struct.unpack("<HIIH", record[10:22])
    end, finish = position, position + 22 + comment
    locator = source.read_at(position - 20, 20) if position >= 20 else b""
    if locator[:4] == b"PK\x06\x07":
        where = struct.unpack("<Q", locator[8:16])[0]
        for candidate in (where, position - 76):
            big = source.read_at(candidate, 56) if candidate >= 0 else b""
            if len(big) == 56 and big[:4] == b"PK\x06\x06":
                count, size, offset = struct.unpack("<QQQ", big[32:56])
                end = candidate
                break
    if count == 0:
        return Directory(end, 0, 0, 0, end, finish, comment)
    for start in (end - size, offset):
        if start >= 0 and source.read_at(start, 4) == _CENTRAL:
            return Directory(start, size, count, start - offset, end, finish, comment)
    return None


def members(source: ByteSource, directory: Directory) -> Iterator[Member]:
    """Entries of the central directory, as far as they can be read."""
    position, end = directory.start, max(directory.start + directory.size, directory.end)
    buffer, base = b"", position
    for _ in range(MAX_MEMBERS):
        if position - base + _LONGEST > len(buffer) and not (buffer and len(buffer) < _PIECE):
            base, buffer = position, source.read_at(position, _PIECE)
        at = position - base
        record = buffer[at : at + 46]
        if len(record) < 46 or record[:4] != _CENTRAL or position >= end:
            return
        flags, method = struct.unpack("<HH", record[8:12])
        crc, packed, expanded, names, extras, comments = struct.unpack("<IIIHHH", record[16:34])
        attributes, header = struct.unpack("<II", record[38:46])
        name = buffer[at + 46 : at + 46 + names]
        extra = buffer[at + 46 + names : at + 46 + names + extras]
        expanded, packed, header = _zip64(extra, expanded, packed, header)
        mode = attributes >> 16 if record[5] == 3 else 0
        yield Member(
            _decoded(name), flags, method, crc, packed, expanded, header + directory.shift, mode
        )
        position += 46 + names + extras + comments


def read_local(source: ByteSource, at: int) -> Local | None:
    """The local header at ``at``, None where there is none."""
    record = source.read_at(at, 30)
    if len(record) < 30 or record[:4] != LOCAL:
        return None
    flags, method = struct.unpack("<HH", record[6:10])
    crc, packed, expanded, names, extras = struct.unpack("<IIIHH", record[14:30])
    rest = source.read_at(at + 30, names + extras)
    expanded, packed, _ = _zip64(rest[names:], expanded, packed, 0)
    data = at + 30 + names + extras
    return Local(_decoded(rest[:names]), flags, method, crc, packed, expanded, data)


def walk_local(source: ByteSource) -> Iterator[Member]:
    """Members by local headers alone, for an archive without a directory."""
    at = 0
    for _ in range(MAX_MEMBERS):
        local = read_local(source, at)
        if local is None:
            return
        packed = local.packed
        if local.flags & 8 and not packed:
            packed = _until_next(source, local.data)
        yield Member(
            local.name, local.flags, local.method, local.crc, packed, local.expanded, at, 0
        )
        at = local.data + packed
        head = source.read_at(at, 28)
        at += max(head.find(LOCAL), 0)


def _until_next(source: ByteSource, start: int) -> int:
    """Length of data whose header doesn't give it: up to the next signature."""
    at = start
    while data := source.read_at(at, 1 << 20):
        found = min(
            (one for one in (data.find(LOCAL), data.find(_CENTRAL)) if one >= 0), default=-1
        )
        if found >= 0:
            return at + found - start
        at += max(len(data) - 3, 1)
    return at - start


def _zip64(extra: bytes, expanded: int, packed: int, header: int) -> tuple[int, int, int]:
    values = [expanded, packed, header]
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack("<HH", extra[at : at + 4])
        if kind == 1:
            body = extra[at + 4 : at + 4 + length]
            for index, value in enumerate(values):
                if value == 0xFFFFFFFF and len(body) >= 8:
                    values[index] = struct.unpack("<Q", body[:8])[0]
                    body = body[8:]
            break
        at += 4 + length
    return values[0], values[1], values[2]


def _decoded(name: bytes) -> str:
    return name[:_NAME_KEPT].decode("utf-8", "backslashreplace")
