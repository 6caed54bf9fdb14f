"""Android's binary XML, read as devices do: tolerant of what is bent to stop other readers.

The chunks are those of the platform's ``ResourceTypes.h``. An attribute is known by its resource
number where it has one, whatever its name says; sizes and counts are believed only as far as there
are bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from buttress.probes.client.markup import ElementBuilder, MarkupElement, MarkupError

MAX_BYTES: Final = 16 << 20
_POOL: Final = 0x0001
_XML: Final = 0x0003
_RESOURCE_NUMBERS: Final = 0x0180
_START: Final = 0x0102
_END: Final = 0x0103
_TEXT: Final = 0x0104
_UTF8: Final = 0x100
_NONE: Final = 0xFFFFFFFF
_MAX_ATTRIBUTES: Final = 2_000  # of one element
_MAX_TEXT: Final = 32_767  # characters of a string

REFERENCE: Final = 0x01
STRING: Final = 0x03
_INTEGER: Final = 0x10
_HEXADECIMAL: Final = 0x11
_BOOLEAN: Final = 0x12

# Attributes of the platform that checks ask for, by their numbers (public resources of Android).
_NAMES: Final = {
    0x01010003: "name", 0x01010006: "permission", 0x01010007: "readPermission",
    0x01010008: "writePermission", 0x01010009: "protectionLevel", 0x0101000E: "enabled",
    0x0101000F: "debuggable", 0x01010010: "exported", 0x01010018: "authorities",
    0x01010024: "value", 0x01010025: "resource", 0x01010027: "scheme", 0x01010028: "host",
    0x0101020C: "minSdkVersion", 0x0101021B: "versionCode", 0x0101021C: "versionName",
    0x01010270: "targetSdkVersion", 0x01010272: "testOnly", 0x01010280: "allowBackup",
    0x010104EC: "usesCleartextTraffic", 0x010104EE: "autoVerify",
    0x01010527: "networkSecurityConfig",
}  # fmt: skip


class Chunk(NamedTuple):
    """A chunk: its kind, where its header and its body begin, and where it ends."""

    kind: int
    start: int
    body: int
    end: int


def chunks(data: bytes, at: int, end: int) -> Iterator[Chunk]:
    """The chunks in ``at`` to ``end``, as far as their sizes make sense."""
    while at + 8 <= end:
        kind, header, size = struct.unpack_from("<HHI", data, at)
        if size < 8:
            return
        stop = min(at + size, end)
        yield Chunk(kind, at, at + max(header, 8), stop)
        at += size


class StringPool:
    """The strings of a pool, each decoded when it is asked for."""

    def __init__(self, data: bytes, chunk: Chunk) -> None:
        self._data = data
        count, _, flags, start, _ = _unpack("<IIIII", data, chunk.start + 8)
        self.count = min(count, max(chunk.end - chunk.body, 0) // 4)
        self._offsets = chunk.body
        self._start, self._end = chunk.start + start, chunk.end
        self._utf8 = bool(flags & _UTF8)
        self._known: dict[int, str] = {}

    def __getitem__(self, index: int) -> str:
        if index not in self._known:
            self._known[index] = self._read(index)
        return self._known[index]

    def _read(self, index: int) -> str:
        if not 0 <= index < self.count:
            return ""
        (offset,) = _unpack("<I", self._data, self._offsets + 4 * index)
        at = self._start + offset
        if self._utf8:
            _, at = self._length(at, 1)
            length, at = self._length(at, 1)
            return self._data[at : min(at + length, self._end)].decode("utf-8", "replace")
        length, at = self._length(at, 2)
        end = min(at + 2 * min(length, _MAX_TEXT), self._end)
        return self._data[at:end].decode("utf-16-le", "replace")

    def _length(self, at: int, width: int) -> tuple[int, int]:
        """A length of one or two units, and the offset after it."""
        high = 1 << (8 * width - 1)
        first = int.from_bytes(self._data[at : at + width], "little")
        if first & high:
            second = int.from_bytes(self._data[at + width : at + 2 * width], "little")
            return (first & (high - 1)) << 8 * width | second, at + 2 * width
        return first, at + width


def matches(head: bytes) -> bool:
    """Whether bytes may be binary XML: devices don't insist on the kind of the first chunk."""
    return len(head) >= 16 and head[0] < 4 and head[1] == 0 and not head.lstrip().startswith(b"<")


def parse(data: bytes, resolve: Callable[[int], str] | None = None) -> MarkupElement:
    """The root element.

    Args:
        data: the whole file.
        resolve: what a reference to the resource of a number stands for, "" where unknown.

    Raises:
        MarkupError: no element can be read, or there are more than are read.
    """
    if len(data) > MAX_BYTES:
        raise MarkupError(f"larger than {MAX_BYTES >> 20} MiB")
    pool: StringPool | None = None
    numbers: tuple[int, ...] = ()
    builder = ElementBuilder()
    (header,) = _unpack("<H", data, 2)
    for chunk in chunks(data, header if 8 <= header <= len(data) else 8, len(data)):
        if chunk.kind == _POOL and pool is None:
            pool = StringPool(data, chunk)
        elif chunk.kind == _RESOURCE_NUMBERS:
            count = max(chunk.end - chunk.body, 0) // 4
            numbers = _unpack(f"<{count}I", data, chunk.body)
        elif chunk.kind == _START and pool is not None:
            builder.start(_element(data, chunk, pool, numbers, resolve))
        elif chunk.kind == _END:
            builder.end()
        elif chunk.kind == _TEXT and pool is not None:
            builder.add_text(pool[_unpack("<I", data, chunk.body)[0]])
    if builder.root is None:
        raise MarkupError("no element can be read in its binary XML")
    return builder.root


def _element(
    data: bytes,
    chunk: Chunk,
    pool: StringPool,
    numbers: tuple[int, ...],
    resolve: Callable[[int], str] | None,
) -> MarkupElement:
    _, name, start, size, count = _unpack("<IIHHH", data, chunk.body)
    stride = max(size, 20)
    element = MarkupElement(pool[name])
    for index in range(min(count, _MAX_ATTRIBUTES)):
        at = chunk.body + start + index * stride
        if at + 20 > chunk.end:
            break
        space, key, raw, _, _, kind, value = _unpack("<IIIHBBI", data, at)
        number = numbers[key] if key < len(numbers) else 0
        prefixed = number >> 24 == 1 or (space != _NONE and pool[space].endswith("apk/res/android"))
        local = _NAMES.get(number) or pool[key]
        text = _value(kind, value, raw, pool, resolve)
        element.attributes.setdefault(f"android:{local}" if prefixed else local, text)
    return element


def _value(
    kind: int, value: int, raw: int, pool: StringPool, resolve: Callable[[int], str] | None
) -> str:
    if kind == STRING:
        return pool[value]
    if kind == _BOOLEAN:
        return "true" if value else "false"
    if kind == _INTEGER:
        return str(value - (1 << 32) if value >> 31 else value)
    if kind == REFERENCE:
        found = resolve(value) if resolve else ""
        return found or f"@0x{value:08x}"
    if kind == _HEXADECIMAL or raw == _NONE:
        return f"0x{value:x}"
    return pool[raw]


def _unpack(form: str, data: bytes, at: int) -> tuple[int, ...]:
    """Numbers at an offset; zeros where the bytes end too soon."""
    size = struct.calcsize(form)
    piece = data[at : at + size] if at >= 0 else b""
    return struct.unpack(form, piece.ljust(size, b"\0"))
