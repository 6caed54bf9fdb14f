"""A file in which the advisories about a package are found without reading the rest.

Records lie one after the other, compressed; then buckets of names, each telling where the records
of its names are; then a table of the buckets, facts about the whole, and a trailer that tells where
these lie. Every part has a checksum, so that a damaged file is noticed and never reads as "no
advisory". The file is written once and not changed.
"""

from __future__ import annotations

import io
import os
import struct
import weakref
import zlib
from collections.abc import Iterable
from typing import IO, Any, Final

import orjson

_MAGIC: Final = b"buttress-osv-index-1\n"
_TRAILER: Final = struct.Struct("<QIIQII")  # table: place, size, sum; facts: place, size, sum
_PLACE: Final = struct.Struct("<QII")  # of a bucket: place, size, sum
_NAMES_IN_BUCKET: Final = 8
_MAX_PART: Final = 64 << 20


class DamagedError(Exception):
    """The file is no index, or not whole."""


class Writer:
    """Writes an index into a new, empty file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._names: dict[bytes, list[tuple[int, int]]] = {}
        self._place = file.write(_MAGIC)

    def add(self, record: Any, keys: Iterable[tuple[str, str]]) -> None:
        """Add an advisory about packages, given by ecosystem and name as compared."""
        data = zlib.compress(orjson.dumps(record), 1)
        for key in keys:
            self._names.setdefault(_key(*key), []).append((self._place, len(data)))
        self._place += self._file.write(data)

    def finish(self, facts: dict[str, Any]) -> None:
        """Write what finds the records, and facts about the whole."""
        buckets: list[dict[str, list[tuple[int, int]]]] = [
            {} for _ in range(len(self._names) // _NAMES_IN_BUCKET + 1)
        ]
        for name, places in self._names.items():
            buckets[zlib.crc32(name) % len(buckets)][_text(name)] = places
        table = b"".join(_PLACE.pack(*self._part(orjson.dumps(bucket))) for bucket in buckets)
        trailer = _TRAILER.pack(*self._part(table), *self._part(orjson.dumps(facts)))
        self._file.write(trailer + zlib.crc32(trailer).to_bytes(4, "little"))
        self._file.flush()

    def _part(self, data: bytes) -> tuple[int, int, int]:
        place, self._place = self._place, self._place + len(data)
        self._file.write(data)
        return place, len(data), zlib.crc32(data)


class Reader:
    """Reads an index. The file is closed, as far as the reader has no need of it.

    Raises:
        DamagedError: it is none, or not whole; also later, from ``about``.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._descriptor = -1
        try:
            self._size = file.seek(0, os.SEEK_END)
            if hasattr(os, "pread") and not isinstance(file, io.BytesIO):
                # Read without a position: processes that were forked would share it.
                self._descriptor = os.dup(file.fileno())
                weakref.finalize(self, os.close, self._descriptor)
                file.close()
            end = self._read(self._size - _TRAILER.size - 4, _TRAILER.size + 4)
            if self._read(0, len(_MAGIC)) != _MAGIC:
                raise DamagedError
            trailer, total = end[:-4], end[-4:]
            if zlib.crc32(trailer) != int.from_bytes(total, "little"):
                raise DamagedError
            parts = _TRAILER.unpack(trailer)
            self._table = self._part(*parts[:3])
            self.facts: dict[str, Any] = orjson.loads(self._part(*parts[3:]))
        except (OSError, ValueError) as error:
            raise DamagedError from error

    def about(self, ecosystem: str, name: str) -> list[dict[str, Any]]:
        """The advisories about a package, in the order in which they were added."""
        key = _key(ecosystem, name)
        number = zlib.crc32(key) % (len(self._table) // _PLACE.size)
        try:
            place = _PLACE.unpack_from(self._table, number * _PLACE.size)
            places = orjson.loads(self._part(*place)).get(_text(key), ())
            return [orjson.loads(zlib.decompress(self._read(*one))) for one in places]
        except (OSError, ValueError, zlib.error, struct.error, TypeError) as error:
            raise DamagedError from error

    def _part(self, place: int, size: int, total: int) -> bytes:
        data = self._read(place, size)
        if zlib.crc32(data) != total:
            raise DamagedError
        return data

    def _read(self, place: int, size: int) -> bytes:
        if place < 0 or size < 0 or size > _MAX_PART or place + size > self._size:
            raise DamagedError
        if self._descriptor >= 0:
            data = os.pread(self._descriptor, size, place)
        else:
            self._file.seek(place)
            data = self._file.read(size)
        if len(data) != size:
            raise DamagedError
        return data


def _key(ecosystem: str, name: str) -> bytes:
    return f"{ecosystem}/{name}".encode("utf-8", "surrogatepass")


def _text(key: bytes) -> str:
    return key.decode("utf-8", "backslashreplace")
