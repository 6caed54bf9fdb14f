"""Shards: pieces of the corpus on disk, and what stages did to them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from buttress.data.edits import AppliedEdit
from buttress.data.records import Position, Record
from buttress.errors import MissingExtraError

MAX_RECORDS: Final = 4_000
MAX_BYTES: Final = 8 << 20


class ShardEntry(msgspec.Struct, array_like=True):
    """A record in a shard, with what would have to be parsed for again in each pass."""

    number: int
    file: str
    line: int
    data: bytes
    key: bytes
    id: str
    source: str


class Removed(msgspec.Struct, array_like=True):
    """A record that a stage removed; ``stage`` is its place in the pipeline."""

    number: int
    stage: int
    file: str
    line: int
    id: str
    source: str
    rule: str
    reason: str
    duplicate_of: str
    data: bytes


class Changed(msgspec.Struct, array_like=True):
    """A record that a stage changed."""

    number: int
    stage: int
    id: str
    source: str
    paths: list[list[str | int]]  # of the record's texts
    edits: list[AppliedEdit]
    data: bytes  # the record as it was before


class Log(msgspec.Struct, array_like=True):
    """What stages did to a shard. ``seen``: records by stage and source."""

    removed: list[Removed]
    changed: list[Changed]
    seen: dict[int, dict[str, int]]


def compressor() -> Any:
    """Zstandard.

    Raises:
        MissingExtraError: it isn't installed.
    """
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("buttress data", "data") from None
    return zstandard


def write(path: Path, value: Any) -> None:
    """Write a structure, compressed; there is the whole file or none."""
    data = compressor().ZstdCompressor(level=1).compress(msgspec.msgpack.encode(value))
    write_whole(path, data)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file of ours by renaming, so that a killed run leaves none that is cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def link(source: Path, target: Path) -> None:
    """Give a file of ours, which is never written to again, a second name; or copy it."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:  # a file system without such names
        write_whole(target, source.read_bytes())
        return
    os.replace(temporary, target)
    temporary.unlink(missing_ok=True)  # which stays where both are names of one file already


def write_entries(path: Path, entries: Iterable[ShardEntry]) -> None:
    """Write the records of a shard. They are read again soon: compressing them costs more."""
    write_whole(path, msgspec.msgpack.encode(list(entries)))


def read_entries(path: Path) -> list[ShardEntry]:
    """The records of a shard."""
    return msgspec.msgpack.decode(path.read_bytes(), type=list[ShardEntry])


def read_log(path: Path) -> Log:
    """The log of a shard."""
    return msgspec.msgpack.decode(_unpacked(path), type=Log)


def read_any(path: Path) -> Any:
    """What ``write`` wrote, as plain data."""
    return msgspec.msgpack.decode(_unpacked(path))


def _unpacked(path: Path) -> bytes:
    data: bytes = compressor().ZstdDecompressor().decompress(path.read_bytes())
    return data


def as_records(entries: Iterable[ShardEntry], field: str, source_field: str) -> list[Record]:
    """Records of entries."""
    return [
        Record(
            entry.data,
            Position(entry.number, entry.file, entry.line),
            field=field,
            source_field=source_field,
            known={"key": entry.key, "id": entry.id, "source": entry.source},
        )
        for entry in entries
    ]


def as_entries(records: Iterable[Record]) -> Iterator[ShardEntry]:
    """Entries of records."""
    for one in records:
        place = one.position
        yield ShardEntry(
            place.number, place.file, place.line, one.line, one.key, one.id, one.source
        )


def batches(entries: Iterable[ShardEntry]) -> Iterator[list[ShardEntry]]:
    """Cut into shards; where the cuts are depends on the input alone."""
    batch: list[ShardEntry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += len(entry.data)
        if len(batch) >= MAX_RECORDS or size >= MAX_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
