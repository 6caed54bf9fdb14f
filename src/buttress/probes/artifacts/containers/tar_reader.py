"""Tar archives (POSIX ustar and pax, GNU, v7), read header by header."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from buttress.files.byte_source import ByteSource

BLOCK: Final = 512
MAX_MEMBERS: Final = 200_000
_LONG_NAME: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member. ``target`` is what a link points to, "" for a file."""

    name: str
    target: str
    data: int
    size: int
    special: bool  # a link, device or pipe


def is_header(block: bytes) -> bool:
    """Whether the block's checksum is that of a header."""
    if len(block) < BLOCK or not block[0]:
        return False
    stored = _octal(block[148:156])
    plain = sum(block[:148]) + 8 * 32 + sum(block[156:BLOCK])
    return stored == plain


def members(source: ByteSource) -> Iterator[TarMember]:
    """Members in order, as far as headers are whole."""
    at = 0
    name, target, size_record = "", "", -1
    for _ in range(MAX_MEMBERS):
        block = source.read_at(at, BLOCK)
        if not is_header(block):
            return
        size = _octal(block[124:136])
        if size < 0:
            return
        kind = block[156:157]
        data = at + BLOCK
        if kind in b"LKx" and kind:
            text = source.read_at(data, min(size, _LONG_NAME))
            if kind == b"L":
                name = _decoded(text)
            elif kind == b"K":
                target = _decoded(text)
            else:
                fields = _pax(text)
                name = fields.get("path", name)
                target = fields.get("linkpath", target)
                size_record = int(fields["size"]) if fields.get("size", "").isdecimal() else -1
        elif kind != b"g":
            if size_record >= 0:
                size = size_record
            prefix = _decoded(block[345:500]) if block[257:263] == b"ustar\0" else ""
            short = _decoded(block[:100])
            own = f"{prefix}/{short}" if prefix else short
            special = kind in (b"1", b"2", b"3", b"4", b"6")
            link = target or _decoded(block[157:257])
            yield TarMember(name or own, link if special else "", data, size, special)
            name, target, size_record = "", "", -1
            if special or kind == b"5":
                size = 0
        at = data + (size + BLOCK - 1) // BLOCK * BLOCK


def _pax(text: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    at = 0
    while at < len(text):
        digits, _, _ = text[at : at + 10].partition(b" ")
        if not digits.isdigit() or not int(digits):
            break
        key, _, value = text[at + len(digits) + 1 : at + int(digits) - 1].partition(b"=")
        fields[key.decode("utf-8", "replace")] = value.decode("utf-8", "backslashreplace")
        at += int(digits)
    return fields


def _octal(field: bytes) -> int:
    """A number, octal or (GNU) binary; -1 where it is neither."""
    if field[:1] in (b"\x80", b"\xff"):
        value = int.from_bytes(field[1:], "big")
        return value if field[:1] == b"\x80" else -1
    digits = field.replace(b"\0", b" ").strip()
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return -1


def _decoded(text: bytes) -> str:
    return text.partition(b"\0")[0].decode("utf-8", "backslashreplace")
