"""FlatBuffers with every offset checked (flatbuffers.dev, "FlatBuffer Internals").

Offsets of a real file go forward; those of a hostile one point anywhere, so each read is bounded.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from buttress.files.byte_source import ByteSource

_PIECE: Final = 64 << 10
_MAX_READS: Final = 4_000_000
_MAX_TEXT: Final = 4096


class FlatError(Exception):
    """An offset leads nowhere, or there is more than is read."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


class FlatBuffer:
    """A source read as a flatbuffer."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.size = source.size
        self.reach = 0  # the end of what was read, or announced and found to be there
        self._buffer = b""
        self._base = 0
        self._left = _MAX_READS

    def take(self, at: int, count: int) -> bytes:
        """``count`` bytes at ``at``.

        Raises:
            FlatError: they are not there.
        """
        self._left -= 1
        if self._left < 0:
            raise FlatError(at, "it has more parts than are read")
        begin = at - self._base
        if begin < 0 or begin + count > len(self._buffer):
            self._buffer, self._base, begin = self._source.read_at(at, max(_PIECE, count)), at, 0
        data = self._buffer[begin : begin + count]
        if at < 0 or len(data) < count:
            raise FlatError(at, f"an offset leads to {at}, beyond the end at {self.size}")
        self.reach = max(self.reach, at + count)
        return data

    def number(self, form: str, at: int) -> int:
        """A number in ``struct`` notation, little endian."""
        value: int = struct.unpack("<" + form, self.take(at, struct.calcsize(form)))[0]
        return value

    def root(self) -> Table:
        """The outermost table."""
        return self.table(self.number("I", 0))

    def table(self, at: int) -> Table:
        """The table at ``at``."""
        layout = at - self.number("i", at)
        length = self.number("H", layout)
        if length < 4 or length % 2:
            raise FlatError(layout, f"a table's layout is announced as {length} bytes")
        self.take(layout, length)
        self.reach = max(self.reach, min(at + self.number("H", layout + 2), self.size))
        return Table(self, at, layout, length)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: fields by their place in the schema, absent ones with a default."""

    buffer: FlatBuffer
    at: int
    layout: int
    length: int

    def _field(self, index: int) -> int:
        where = 4 + 2 * index
        if where + 2 > self.length:
            return 0
        offset = self.buffer.number("H", self.layout + where)
        return self.at + offset if offset else 0

    def number(self, index: int, form: str, default: int = 0) -> int:
        """A scalar field."""
        at = self._field(index)
        return self.buffer.number(form, at) if at else default

    def _indirect(self, index: int) -> int:
        at = self._field(index)
        return at + self.buffer.number("I", at) if at else 0

    def text(self, index: int) -> str:
        """A text field, cut to 4 KB."""
        at = self._indirect(index)
        if not at:
            return ""
        length = self.buffer.number("I", at)
        if at + 4 + length > self.buffer.size:
            raise FlatError(at, f"a text is announced as {length} bytes")
        return self.buffer.take(at + 4, min(length, _MAX_TEXT)).decode("utf-8", "backslashreplace")

    def vector(self, index: int, width: int) -> tuple[int, int]:
        """Where the items of a vector begin, and how many there are.

        Raises:
            FlatError: they would lie beyond the end.
        """
        at = self._indirect(index)
        if not at:
            return 0, 0
        count = self.buffer.number("I", at)
        if at + 4 + count * width > self.buffer.size:
            raise FlatError(at, f"a vector of {count} items is announced")
        self.buffer.reach = max(self.buffer.reach, at + 4 + count * width)
        return at + 4, count

    def part(self, index: int) -> Table | None:
        """The table of a field, None where it is absent."""
        at = self._indirect(index)
        return self.buffer.table(at) if at else None

    def tables(self, index: int) -> Iterator[Table]:
        """The tables of a vector."""
        start, count = self.vector(index, 4)
        for i in range(count):
            at = start + 4 * i
            yield self.buffer.table(at + self.buffer.number("I", at))
