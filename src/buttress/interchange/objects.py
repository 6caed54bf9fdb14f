"""The objects of a data set's file, whatever its form: JSON Lines, one JSON list, or Parquet.

Each may be packed with gzip, as published preference data often is; Parquet packs its own.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Final

from buttress.errors import InputError, MissingExtraError
from buttress.interchange.fields import Fields, RecordPlace, parse_json
from buttress.interchange.lines import DOCUMENT_LIMIT, LINE_LIMIT, unreadable

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_ROWS: Final = 256  # of a Parquet file in memory at once


def objects_of(path: Path) -> Iterator[Fields]:
    """The objects in order, one line, one row group or one list in memory at a time.

    The form is told by the content, not by the name.

    Raises:
        InputError: not readable, or not such a file; names file, line or row, and field.
        MissingExtraError: Parquet without pyarrow.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise unreadable(path, error) from None
    if magic == _PARQUET:
        yield from _rows(path)
        return
    try:
        with closing(_opened(path, magic)) as stream:
            yield from _values(stream, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        why = f"not a whole gzip file ({error})"
        raise InputError(why, file=str(path), expected="gzip") from None
    except OSError as error:
        raise unreadable(path, error) from None


def _opened(path: Path, magic: bytes) -> IO[bytes]:
    if magic.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(path, "rb"), 1 << 20)
    return path.open("rb")


def _values(stream: IO[bytes], path: Path) -> Iterator[Fields]:
    """Lines; or the members of a list where the first line begins with a bracket."""
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        place = RecordPlace(str(path), number)
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if number == 1 and line.lstrip().startswith(b"["):
            yield from _members(line, stream, path)
            return
        if len(line) > LINE_LIMIT:
            raise place.error("the line is too long", f"at most {LINE_LIMIT} bytes")
        if line.strip():
            yield Fields(parse_json(line, place), place)


def _members(start: bytes, stream: IO[bytes], path: Path) -> Iterator[Fields]:
    place = RecordPlace(str(path))
    raw = start + stream.read(DOCUMENT_LIMIT + 1 - len(start))
    if len(raw) > DOCUMENT_LIMIT:
        raise place.error("too large to be read whole", "JSON Lines")
    values = parse_json(raw, place)
    if not isinstance(values, list):
        raise place.error("not a list", "a list of objects")
    for number, value in enumerate(values):
        yield Fields(value, place, f"[{number}]")


def _rows(path: Path) -> Iterator[Fields]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("reading Parquet files", "parquet") from None
    place = RecordPlace(str(path))
    number = 0
    try:
        with parquet.ParquetFile(path) as opened:
            for batch in opened.iter_batches(batch_size=_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield Fields(row, place, f"row {number}")
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:200]
        raise place.error(f"row {number + 1} can't be read ({why})", "Parquet") from None
