"""Android's table of resources (resources.arsc): what a reference in a manifest stands for."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from buttress.probes.client.android_xml import REFERENCE, STRING, Chunk, StringPool, chunks

_POOL: Final = 0x0001
_TABLE: Final = 0x0002
_PACKAGE: Final = 0x0200
_TYPE: Final = 0x0201
_BOOLEAN: Final = 0x12
_SPARSE: Final = 0x01
_SHORT_OFFSETS: Final = 0x02
_COMPLEX: Final = 0x01
_COMPACT: Final = 0x08
_MAX_STEPS: Final = 8  # references that lead to references
_MAX_PACKAGES: Final = 255
_NO_ENTRY: Final = 0xFFFFFFFF
_NO_SHORT_ENTRY: Final = 0xFFFF


class ResourceTable:
    """Looks up single resources; the table itself is not expanded.

    Where a resource has values for several configurations, the first of them counts.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pool: StringPool | None = None
        self._types: dict[tuple[int, int], list[Chunk]] = {}
        for table in chunks(data, 0, len(data)):
            if table.kind != _TABLE:
                continue
            for chunk in chunks(data, table.body, table.end):
                if chunk.kind == _POOL and self._pool is None:
                    self._pool = StringPool(data, chunk)
                elif chunk.kind == _PACKAGE and len(self._types) < _MAX_PACKAGES:
                    self._package(chunk)

    def _package(self, package: Chunk) -> None:
        (number,) = self._numbers("<I", package.start + 8)
        for chunk in chunks(self._data, package.body, package.end):
            if chunk.kind == _TYPE:
                key = number, self._data[chunk.start + 8]
                self._types.setdefault(key, []).append(chunk)

    def value(self, number: int) -> str:
        """The value of the resource of that number (0xPPTTEEEE) as text; "" where unknown."""
        for _ in range(_MAX_STEPS):
            found = next(self._values(number), None)
            if found is None:
                return ""
            kind, data = found
            if kind == STRING:
                return self._pool[data] if self._pool else ""
            if kind != REFERENCE:
                return ("true" if data else "false") if kind == _BOOLEAN else str(data)
            number = data
        return ""

    def _values(self, number: int) -> Iterator[tuple[int, int]]:
        entry = number & 0xFFFF
        for chunk in self._types.get((number >> 24, number >> 16 & 0xFF), ()):
            at = self._entry(chunk, entry)
            if at is None or at + 8 > chunk.end:
                continue
            size, flags = self._numbers("<HH", at)
            if flags & _COMPACT:
                yield flags >> 8, self._numbers("<I", at + 4)[0]
            elif not flags & _COMPLEX and at + size + 8 <= chunk.end:
                _, _, kind, data = self._numbers("<HBBI", at + size)
                yield kind, data

    def _entry(self, chunk: Chunk, entry: int) -> int | None:
        """Offset of an entry in one of the chunks of its type, None where it has none."""
        _, flags, _, count, start = self._numbers("<BBHII", chunk.start + 8)
        base = chunk.start + start
        if flags & _SPARSE:
            for at in range(chunk.body, min(chunk.body + 4 * count, chunk.end), 4):
                index, offset = self._numbers("<HH", at)
                if index == entry:
                    return base + 4 * offset
            return None
        if entry >= count:
            return None
        if flags & _SHORT_OFFSETS:
            (offset,) = self._numbers("<H", chunk.body + 2 * entry)
            return None if offset == _NO_SHORT_ENTRY else base + 4 * offset
        (offset,) = self._numbers("<I", chunk.body + 4 * entry)
        return None if offset == _NO_ENTRY else base + offset

    def _numbers(self, form: str, at: int) -> tuple[int, ...]:
        size = struct.calcsize(form)
        return struct.unpack(form, self._data[at : at + size].ljust(size, b"\0"))
