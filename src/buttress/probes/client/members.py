"""The files in a package of a client: ZIP, asar and wxapkg behind one interface."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from buttress.files import zip_reader
from buttress.files.asar import AsarFile
from buttress.files.byte_source import MAX_READ, ByteSource, ExpansionError, ResourceMeter
from buttress.files.wxapkg import WxapkgFile
from buttress.files.zip_reader import Member

PIECE: Final = 4 << 20  # bytes that are expanded at a time
_DEFLATE: Final = 8
_IN: Final = 1 << 16
_TIMES: Final = 6  # that a file without overlaps is read by all who search it, and more
_FREE: Final = 1 << 20  # bytes


class MemberError(Exception):
    """A file of a package can't be read; the message says why."""


class Members(Protocol):
    """The files of a package."""

    @property
    def names(self) -> Sequence[str]:
        """Their names, in the package's order; none stands twice."""
        ...

    @property
    def repeated(self) -> Sequence[str]:
        """Names under which more than one file is listed."""
        ...

    def size(self, name: str) -> int:
        """Bytes that the package announces for a file."""
        ...

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a file, at most ``PIECE`` at a time.

        Raises:
            MemberError: it can't be read.
            ExpansionError: the package costs more than its size allows.
        """
        ...


def read(members: Members, name: str, limit: int) -> bytes:
    """The first ``limit`` bytes of a file.

    Raises:
        MemberError: it can't be read.
        ExpansionError: the package costs more than its size allows.
    """
    data = bytearray()
    for piece in members.pieces(name):
        data += piece[: limit - len(data)]
        if len(data) >= limit:
            break
    return bytes(data)


def numbered(name: str, times: Counter[str]) -> str:
    """A name that may stand several times in a package: from the second on with its number."""
    times[name] += 1
    return name if times[name] == 1 else f"{times[name]}/{name}"


class StoredMembers:
    """Files that lie in the package as they are: of an asar archive or a mini-program, as listed.

    ``repeated`` are names that are listed more than once; each file is there, as in ``ZipMembers``.
    Files may lie over each other, as long as no more is read than some times the package.
    """

    def __init__(self, source: ByteSource, files: Sequence[AsarFile | WxapkgFile]) -> None:
        self._source = source
        self._left = _TIMES * source.size + _FREE
        self._extents: dict[str, tuple[int, int]] = {}
        times: Counter[str] = Counter()
        for one in files:
            self._extents.setdefault(numbered(one.name, times), (one.offset, one.size))
        self.names = tuple(self._extents)
        self.repeated = tuple(name for name, count in times.items() if count > 1)

    def size(self, name: str) -> int:
        """As ``Members``."""
        return self._extents[name][1]

    def pieces(self, name: str) -> Iterator[bytes]:
        """As ``Members``."""
        offset, size = self._extents[name]
        for at in range(offset, offset + size, PIECE):
            if self._left <= 0:
                raise ExpansionError("its files overlap, so that it would be read over and over")
            data = self._source.read_at(at, min(PIECE, offset + size - at))
            if not data:
                raise MemberError("it lies outside the package")
            self._left -= len(data)
            yield data


class ZipMembers:
    """Files of a ZIP archive, as devices find them: by its last directory.

    ``repeated`` are names that stand in it more than once. Readers differ in which file they take,
    so each is there: the first under its name, the others under a number before it.
    """

    def __init__(self, source: ByteSource, meter: ResourceMeter) -> None:
        self._source = source
        self._meter = meter
        directories = zip_reader.directories(source)
        listed = zip_reader.members(source, directories[0]) if directories else ()
        self._members: dict[str, Member] = {}
        times: Counter[str] = Counter()
        for one in listed:
            if not one.name.endswith("/"):
                self._members.setdefault(numbered(one.name, times), one)
        self.names = tuple(self._members)
        self.repeated = tuple(name for name, count in times.items() if count > 1)

    def size(self, name: str) -> int:
        """As ``Members``."""
        return self._members[name].expanded

    def pieces(self, name: str) -> Iterator[bytes]:
        """As ``Members``.

        A method of compression that no device knows is taken for none, and a mark of encryption for
        a lie, as Android takes them (both are used to stop other readers).
        """
        member = self._members[name]
        local = zip_reader.read_local(self._source, member.header)
        if local is None:
            raise MemberError("no file begins where the directory points")
        if member.method == _DEFLATE:
            yield from self._inflated(local.data, member.packed)
            return
        for at in range(local.data, local.data + member.expanded, PIECE):
            data = self._source.read_at(at, min(PIECE, local.data + member.expanded - at))
            if not data:
                raise MemberError("it lies outside the package")
            yield data

    def _inflated(self, start: int, size: int) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        kept: list[bytes] = []
        total = 0
        try:
            for at in range(start, start + size, _IN):
                data = self._source.read_at(at, min(_IN, start + size - at, MAX_READ))
                if not data:
                    break
                while data:
                    out = inflater.decompress(data, PIECE - total)
                    self._meter.expand(len(out))
                    kept.append(out)
                    total += len(out)
                    data = inflater.unconsumed_tail
                    if total >= PIECE:
                        yield b"".join(kept)
                        kept, total = [], 0
        except zlib.error:
            if total:
                yield b"".join(kept)
            raise MemberError("its compressed data is damaged") from None
        if total:
            yield b"".join(kept)
