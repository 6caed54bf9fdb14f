"""Bytes under inspection: random access to files and to parts of them, each read counted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

from buttress.files.tree import SMALL, Tree, open_file

MAX_READ: Final = 8 << 20  # no single read gives more
_EXPANSION_FLOOR: Final = 256 << 20  # what may come out of decompressors, whatever the file's size
_EXPANSION_RATIO: Final = 100
_READ_FLOOR: Final = 64 << 20
_READ_RATIO: Final = 10  # a large model in a compressed archive is expanded several times


@dataclass(slots=True)
class ResourceMeter:
    """What an inspection has used up: shared by everything that is opened below one file.

    ``read`` counts bytes taken from disk, ``expanded`` bytes that came out of decompressors. Both
    have a limit in proportion to the file's ``size``: parts that overlap could be read for ever.
    """

    size: int = 0
    read: int = 0
    expanded: int = 0
    lzma_streams: int = 0  # open within each other, each with its dictionary in memory

    def take(self, count: int) -> None:
        """Charge bytes from disk.

        Raises:
            ExpansionError: the file is read over and over.
        """
        self.read += count
        if self.read > _READ_FLOOR and self.read > _READ_FLOOR + _READ_RATIO * self.size:
            raise ExpansionError("its parts overlap, so that it would be read over and over")

    def expand(self, count: int) -> None:
        """Charge decompressed bytes.

        Raises:
            ExpansionError: more came out than is allowed.
        """
        self.expanded += count
        limit = max(_EXPANSION_FLOOR, _EXPANSION_RATIO * self.size)
        if self.expanded > limit:
            raise ExpansionError(f"more than {limit >> 20} MB came out of it")


class ExpansionError(Exception):
    """A file costs far more to read than its size."""


class ByteSource(Protocol):
    """A stretch of bytes."""

    @property
    def size(self) -> int:
        """Length in bytes; for compressed data known only by expanding all of it."""
        ...

    @property
    def whole(self) -> bool:
        """Whether its end is cheap to reach and means something: true of files, not of parts."""
        ...

    def read_at(self, offset: int, count: int) -> bytes:
        """``count`` bytes at ``offset``, at most ``MAX_READ``; fewer only at the end.

        Raises:
            ExpansionError: the file has cost more than its size allows.
        """
        ...


class FileSource:
    """A regular file, opened without following a link in its last part."""

    whole = True

    def __init__(self, path: str | Path, meter: ResourceMeter, tree: Tree | None = None) -> None:
        """Open a file, or take what ``tree`` holds of it.

        Raises:
            OSError: it can't be read.
        """
        opened = open_file(str(path), SMALL) if tree is None else tree.open(path)
        content, self._descriptor = opened
        if content.problem:
            raise OSError(content.problem)
        self._meter = meter
        self.name = os.path.basename(path)
        self.binary = content.binary
        self._size = meter.size = content.size
        self._held = content.data

    @property
    def size(self) -> int:
        """Length when it was opened."""
        return self._size

    def read_at(self, offset: int, count: int) -> bytes:
        """As ``ByteSource``."""
        if offset < 0 or offset >= self._size:
            return b""
        count = min(count, MAX_READ)
        if self._descriptor is None:
            data = self._held[offset : offset + count]
        else:
            data = os.pread(self._descriptor, count, offset)
        self._meter.take(len(data))
        return data

    def __enter__(self) -> FileSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


class BytesSource:
    """Bytes in memory."""

    whole = True

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self._data)

    def read_at(self, offset: int, count: int) -> bytes:
        """As ``ByteSource``."""
        return self._data[offset : offset + min(count, MAX_READ)] if offset >= 0 else b""


class Rest:
    """What follows in another source, whose end may be dear to know."""

    whole = False

    def __init__(self, source: ByteSource, start: int) -> None:
        self._source = source
        self._start = start

    @property
    def size(self) -> int:
        """Length in bytes; as dear as that of the other source."""
        return max(self._source.size - self._start, 0)

    def read_at(self, offset: int, count: int) -> bytes:
        """As ``ByteSource``."""
        return self._source.read_at(self._start + offset, count) if offset >= 0 else b""


class Slice:
    """A part of another source."""

    whole = False

    def __init__(self, whole: ByteSource, start: int, length: int) -> None:
        self._whole = whole
        self._start = start
        self._length = max(length, 0)

    @property
    def size(self) -> int:
        """Length of the part, as declared; reads end where the whole does."""
        return self._length

    def read_at(self, offset: int, count: int) -> bytes:
        """As ``ByteSource``."""
        left = self._length - offset
        if offset < 0 or left <= 0:
            return b""
        return self._whole.read_at(self._start + offset, min(count, left))
