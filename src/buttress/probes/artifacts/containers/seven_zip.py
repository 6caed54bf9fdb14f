"""7z archives (7zFormat.txt of the LZMA SDK): the header, and its files as sources.

Read are Copy, LZMA, LZMA2, Deflate, BZip2 and the filters Delta and BCJ, in chains of one stream.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from buttress.files.byte_source import ByteSource, ResourceMeter, Slice
from buttress.probes.artifacts.containers.decoders import Decoder, lzma_filter, raw_lzma
from buttress.probes.artifacts.containers.decompress import Decompressed

SIGNATURE: Final = b"7z\xbc\xaf\x27\x1c"
_FIXED: Final = 32
_MAX_HEADER: Final = 4 << 20
_MAX_ITEMS: Final = 50_000
_END, _HEADER, _MAIN, _FILES, _PACK, _UNPACK, _SUBSTREAMS = 0, 1, 4, 5, 6, 7, 8
_SIZE, _CRC, _FOLDER, _UNPACK_SIZE, _COUNT, _EMPTY, _NAMES, _ENCODED = 9, 10, 11, 12, 13, 14, 17, 23
_FILTERS: Final = {
    bytes.fromhex("03030103"): lzma.FILTER_X86,
    bytes.fromhex("03030205"): lzma.FILTER_POWERPC,
    bytes.fromhex("03030501"): lzma.FILTER_ARM,
    bytes.fromhex("03030701"): lzma.FILTER_ARMTHUMB,
    bytes.fromhex("03030805"): lzma.FILTER_SPARC,
}


class SevenZipError(Exception):
    """The header can't be read; says why."""


class UnreadError(SevenZipError):
    """It may well be whole, but is of a kind that is not read here."""


@dataclass(slots=True)
class Folder:
    """A stream that several files share: its coders, from the plain side on, with properties."""

    coders: list[tuple[bytes, bytes]]
    sizes: list[int] = field(default_factory=list)  # of the files in it
    size: int = 0
    start: int = 0
    packed: int = 0
    count: int = 1  # of coders
    outer: int = 0  # place of the outermost one in the header
    linear: bool = True


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise SevenZipError(f"{count} bytes are announced where fewer are left")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        first = self.take(1)[0]
        mask, value = 0x80, 0
        for i in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * i)
            value |= self.take(1)[0] << (8 * i)
            mask >>= 1
        return value

    def count(self) -> int:
        value = self.number()
        if value > _MAX_ITEMS:
            raise SevenZipError(f"{value} items are announced")
        return value

    def bits(self, count: int) -> list[bool]:
        raw = self.take((count + 7) // 8)
        return [bool(raw[i // 8] & 0x80 >> i % 8) for i in range(count)]

    def digests(self, count: int) -> None:
        """Checksums, which are passed over."""
        defined = [True] * count if self.take(1)[0] else self.bits(count)
        self.take(4 * sum(defined))


def read(source: ByteSource, meter: ResourceMeter) -> tuple[list[str], list[Folder]]:
    """Names of the files that have data, in order, and the folders that hold them.

    Raises:
        SevenZipError: the header contradicts itself or is not known here.
    """
    fixed = source.read_at(0, _FIXED)
    if len(fixed) < _FIXED:
        raise SevenZipError("it is cut short")
    offset, size = int.from_bytes(fixed[12:20], "little"), int.from_bytes(fixed[20:28], "little")
    if size == 0:
        return [], []
    if size > _MAX_HEADER or _FIXED + offset + size > source.size:
        raise SevenZipError(f"the header is announced as {size} bytes at {_FIXED + offset}")
    header = source.read_at(_FIXED + offset, size)
    for _ in range(4):  # a packed header may hold another one
        reader = _Reader(header)
        kind = reader.number()
        if kind != _ENCODED:
            break
        folders = _streams(reader)
        if not folders:
            raise SevenZipError("the packed header is empty")
        folder = folders[0]
        opened = open_folder(source, folder, meter)
        if opened is None or folder.size > _MAX_HEADER:
            raise UnreadError("the header is encrypted, or packed in a way that is not known here")
        header = opened.read_at(0, folder.size)
    if kind != _HEADER:
        raise SevenZipError(f"the header has the unknown kind {kind}")
    return _files(reader)


def _files(reader: _Reader) -> tuple[list[str], list[Folder]]:
    names: list[str] = []
    folders: list[Folder] = []
    empty: list[bool] = []
    while (kind := reader.number()) != _END:
        if kind == _MAIN:
            folders = _streams(reader)
        elif kind == _FILES:
            count = reader.count()
            while (kind := reader.number()) != _END:
                inner = _Reader(reader.take(reader.number()))
                if kind == _EMPTY:
                    empty = inner.bits(count)
                elif kind == _NAMES and inner.take(1) == b"\0":
                    names = inner.data[1:].decode("utf-16-le", "replace").split("\0")[:count]
        else:
            raise SevenZipError(f"the header has a part of the unknown kind {kind}")
    kept = [name for i, name in enumerate(names) if i >= len(empty) or not empty[i]]
    return kept, folders


def _streams(reader: _Reader) -> list[Folder]:
    """Packed streams, folders, and how many files each folder holds."""
    start, packed = 0, []
    folders: list[Folder] = []
    while (kind := reader.number()) != _END:
        if kind == _PACK:
            start = _FIXED + reader.number()
            count = reader.count()
            while (kind := reader.number()) != _END:
                if kind == _SIZE:
                    packed = [reader.number() for _ in range(count)]
                elif kind == _CRC:
                    reader.digests(count)
                else:
                    raise SevenZipError(f"packed streams have a part of the unknown kind {kind}")
        elif kind == _UNPACK:
            folders = _folders(reader)
        elif kind == _SUBSTREAMS:
            _substreams(reader, folders)
        else:
            raise SevenZipError(f"streams have a part of the unknown kind {kind}")
    for folder, size in zip(folders, packed, strict=False):
        folder.start, folder.packed = start, size
        start += size
        folder.sizes = folder.sizes or [folder.size]
    return folders


def _folders(reader: _Reader) -> list[Folder]:
    if reader.number() != _FOLDER:
        raise SevenZipError("the folders are missing")
    count = reader.count()
    if reader.take(1) != b"\0":
        raise SevenZipError("the folders lie elsewhere")
    folders = [_folder(reader) for _ in range(count)]
    while (kind := reader.number()) != _END:
        if kind == _UNPACK_SIZE:
            for folder in folders:
                sizes = [reader.number() for _ in range(folder.count)]
                folder.size = sizes[folder.outer]
        elif kind == _CRC:
            reader.digests(count)
        else:
            raise SevenZipError(f"folders have a part of the unknown kind {kind}")
    return folders


def _folder(reader: _Reader) -> Folder:
    coders: list[tuple[bytes, bytes]] = []
    simple = True
    count = reader.count()
    if not 1 <= count <= 8:
        raise SevenZipError(f"a folder has {count} coders")
    for _ in range(count):
        flags = reader.take(1)[0]
        kind = reader.take(flags & 15)
        if flags & 16:
            simple = simple and reader.number() == 1 and reader.number() == 1
        coders.append((kind, reader.take(reader.number()) if flags & 32 else b""))
    if not simple:
        raise UnreadError("a coder has several streams")
    feeds = {reader.number(): reader.number() for _ in range(count - 1)}
    outer = min(set(range(count)) - set(feeds.values()), default=0)
    chain = [outer]
    while (inner := feeds.get(chain[-1])) is not None and inner < count and inner not in chain:
        chain.append(inner)
    if len(chain) < count:
        return Folder([], count=count, outer=outer, linear=False)
    return Folder([coders[i] for i in chain], count=count, outer=outer)


def _substreams(reader: _Reader, folders: list[Folder]) -> None:
    counts = [1] * len(folders)
    kind = reader.number()
    if kind == _COUNT:
        counts = [reader.count() for _ in folders]
        kind = reader.number()
    if sum(counts) > _MAX_ITEMS:
        raise SevenZipError(f"{sum(counts)} files are announced")
    for folder, count in zip(folders, counts, strict=True):
        sizes: list[int] = []
        if kind == _SIZE and count > 1:
            sizes = [reader.number() for _ in range(count - 1)]
        folder.sizes = [*sizes, max(folder.size - sum(sizes), 0)] if count else []
    if kind == _SIZE:
        kind = reader.number()
    while kind != _END:  # checksums, to the end of this part
        if kind != _CRC:
            raise SevenZipError(f"files have a part of the unknown kind {kind}")
        reader.digests(sum(counts))
        kind = reader.number()


def open_folder(source: ByteSource, folder: Folder, meter: ResourceMeter) -> ByteSource | None:
    """The plain bytes of a folder, None where its coders are not known here."""
    packed = Slice(source, folder.start, folder.packed)
    if not folder.linear:
        return None
    filters: list[dict[str, int]] = []
    for place, (kind, properties) in enumerate(folder.coders):
        last = place == len(folder.coders) - 1
        if kind == b"\x00":
            continue
        if kind in (bytes.fromhex("040108"), bytes.fromhex("040202")):
            codec = "deflate" if kind[1] == 1 else "bz2"
            return Decompressed(packed, codec, meter) if last and not filters else None
        one = _filter(kind, properties)
        if one is None:
            return None
        filters.append(one)
    if not filters:
        return packed
    if filters[-1]["id"] not in (lzma.FILTER_LZMA1, lzma.FILTER_LZMA2):
        return None
    make: Callable[[int], Decoder] = raw_lzma(filters)
    return Decompressed(packed, "7z", meter, make)


def _filter(kind: bytes, properties: bytes) -> dict[str, int] | None:
    if kind == b"\x03\x01\x01" and len(properties) == 5:
        return lzma_filter(properties)
    if kind == b"\x21" and len(properties) == 1 and properties[0] <= 40:
        bits = properties[0]
        size = 0xFFFFFFFF if bits == 40 else (2 | bits & 1) << (bits // 2 + 11)
        return {"id": lzma.FILTER_LZMA2, "dict_size": size}
    if kind == b"\x03" and len(properties) == 1:
        return {"id": lzma.FILTER_DELTA, "dist": properties[0] + 1}
    if kind in _FILTERS:
        return {"id": _FILTERS[kind]}
    return None
