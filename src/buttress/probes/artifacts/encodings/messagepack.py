"""MessagePack walked without building anything (the MessagePack specification, "Formats")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from buttress.files.byte_source import ByteSource

_PIECE: Final = 16 << 10
_MAX_ITEMS: Final = 2_000_000
_MAX_DEPTH: Final = 200
_FIXED: Final = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1,
    0xD1: 2, 0xD2: 4, 0xD3: 8,
}  # fmt: skip
_SIZED: Final = {
    0xC4: ("bin", 1), 0xC5: ("bin", 2), 0xC6: ("bin", 4), 0xD9: ("str", 1), 0xDA: ("str", 2),
    0xDB: ("str", 4), 0xC7: ("ext", 1), 0xC8: ("ext", 2), 0xC9: ("ext", 4),
    0xDC: ("array", 2), 0xDD: ("array", 4), 0xDE: ("map", 2), 0xDF: ("map", 4),
}  # fmt: skip


class PackError(Exception):
    """It is not MessagePack, or more than is read; carries the offset."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


class MessagePackValue(NamedTuple):
    """One value. ``length``: bytes of a payload at ``start``, or items of an array or a map."""

    kind: str  # int, float, nil, bin, str, ext, array, map
    start: int
    length: int
    depth: int
    is_key: bool
    extension: int  # type of an ext, else 0
    value: int  # of an int


def walk(source: ByteSource, start: int, end: int) -> Iterator[MessagePackValue]:
    """The values of one object in order, containers before what they hold.

    Raises:
        PackError: an announced length leads beyond ``end``, or nesting or number are too large.
    """
    buffer, base, at = b"", start, start
    open_: list[tuple[int, bool]] = []  # items still to come, whether of a map
    for _ in range(_MAX_ITEMS):
        begin = at - base
        if begin + 8 > len(buffer):
            buffer, base, begin = source.read_at(at, _PIECE), at, 0
        if begin >= len(buffer) or at >= end:
            raise PackError(at, "it is cut short")
        kind, payload, length, extension, value = _header(buffer, begin, at)
        is_key = bool(open_) and open_[-1][1] and open_[-1][0] % 2 == 0
        yield MessagePackValue(kind, payload, length, len(open_), is_key, extension, value)
        if open_:
            open_[-1] = (open_[-1][0] - 1, open_[-1][1])
        at = payload
        if kind in ("array", "map"):
            items = length * 2 if kind == "map" else length
            if items > end - payload:
                raise PackError(payload, f"{items} items are announced in {end - payload} bytes")
            open_.append((items, kind == "map"))
            if len(open_) > _MAX_DEPTH:
                raise PackError(payload, f"it is nested more than {_MAX_DEPTH} deep")
        else:
            at += length
            if at > end:
                raise PackError(payload, f"{length} bytes are announced where {end - payload} are")
        while open_ and open_[-1][0] == 0:
            open_.pop()
        if not open_:
            yield MessagePackValue("end", at, 0, 0, False, 0, 0)
            return
    raise PackError(at, f"it has more than {_MAX_ITEMS} values")


def _header(buffer: bytes, begin: int, at: int) -> tuple[str, int, int, int, int]:
    """Kind, offset of the payload, length, type of an extension, value."""
    code = buffer[begin]
    if code < 0x80 or code >= 0xE0:
        return "int", at + 1, 0, 0, code if code < 0x80 else code - 256
    if code < 0x90:
        return "map", at + 1, code & 15, 0, 0
    if code < 0xA0:
        return "array", at + 1, code & 15, 0, 0
    if code < 0xC0:
        return "str", at + 1, code & 31, 0, 0
    if code in _FIXED:
        width = _FIXED[code]
        kind = "nil" if width == 0 else "float" if code in (0xCA, 0xCB) else "int"
        raw = buffer[begin + 1 : begin + 1 + width]
        value = int.from_bytes(raw, "big", signed=code >= 0xD0) if kind == "int" else 0
        return kind, at + 1, width, 0, value
    if code in _SIZED:
        kind, width = _SIZED[code]
        length = int.from_bytes(buffer[begin + 1 : begin + 1 + width], "big")
        if kind == "ext":
            extension = int.from_bytes(
                buffer[begin + 1 + width : begin + 2 + width], "big", signed=True
            )
            return kind, at + 2 + width, length, extension, 0
        return kind, at + 1 + width, length, 0, 0
    if 0xD4 <= code <= 0xD8:
        extension = int.from_bytes(buffer[begin + 1 : begin + 2], "big", signed=True)
        return "ext", at + 2, 1 << (code - 0xD4), extension, 0
    raise PackError(at, f"byte {code:#x} begins no value")
