"""The files in a package of a client: ZIP, asar and wxapkg behind one interface."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from buttress.files import wxapkg, zip_reader
from buttress.files.asar import AsarFile
from buttress.files.byte_source import MAX_READ, ByteSource, ResourceMeter
from buttress.files.zip_reader import Member

PIECE: Final = 4 << 20  # bytes that are expanded at a time
_DEFLATE: Final = 8
_IN: Final = 1 << 16


class MemberError(Exception):
    """A file of a package can't be read; the message says why."""


class Members(Protocol):
    """The files of a package."""

    @property
    def names(self) -> Sequence[str]:
        """Their names, in the package's order; none stands twice."""
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


class StoredMembers:
    """Files that lie in the package as they are."""

    def __init__(self, source: ByteSource, extents: dict[str, tuple[int, int]]) -> None:
        self._source = source
        self._extents = extents
        self.names = tuple(extents)

    @classmethod
    def of_asar(cls, source: ByteSource, files: Sequence[AsarFile]) -> StoredMembers:
        """Those of an Electron archive, of the files that its header lists."""
        return cls(source, {one.name: (one.offset, one.size) for one in files})

    @classmethod
    def of_wxapkg(cls, source: ByteSource) -> StoredMembers:
        """Those of a mini-program.

        Raises:
            WxapkgError: its index can't be read.
        """
        return cls(source, {one.name: (one.offset, one.size) for one in wxapkg.read(source)})

    def size(self, name: str) -> int:
        """As ``Members``."""
        return self._extents[name][1]

    def pieces(self, name: str) -> Iterator[bytes]:
        """As ``Members``."""
        offset, size = self._extents[name]
        for at in range(offset, offset + size, PIECE):
            data = self._source.read_at(at, min(PIECE, offset + size - at))
            if not data:
                raise MemberError("it lies outside the package")
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
                times[one.name] += 1
                count = times[one.name]
                name = one.name if count == 1 else f"{count}/{one.name}"
                self._members.setdefault(name, one)
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
