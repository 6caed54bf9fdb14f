"""Rows of tables as records: Parquet, Arrow and CSV."""

from __future__ import annotations

import base64
import csv
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import orjson

from buttress.errors import MissingExtraError
from buttress.files.utf8 import not_utf8

Entry = tuple[int, bytes, str]  # line or row, the record's JSON, what is wrong
_ROWS: Final = 256  # of a Parquet file at once
_FILE: Final = b"ARROW1"  # how an Arrow file begins; other Arrow data is a stream of messages
_DELIMITERS: Final = ",;\t|"


def columnar(file: Path, kind: str) -> Iterator[Entry]:
    """Rows of a Parquet or Arrow file, by number from 1.

    Dates, decimal numbers and the like become text. Bytes become text where they are UTF-8, as
    older writers mark no column as text, and base64 where they are not.

    Args:
        file: its path.
        kind: "parquet" or "arrow"; Arrow also as a stream, which is how ``datasets`` keeps it.

    Raises:
        MissingExtraError: PyArrow is not installed.
    """
    try:
        import pyarrow as arrow
    except ImportError:
        raise MissingExtraError("reading Parquet and Arrow files", "data") from None
    row = 0
    try:
        for batch in _parquet(file) if kind == "parquet" else _arrow(file):
            for data in batch.to_pylist():
                row += 1
                try:
                    yield row, orjson.dumps(data, default=_plain), ""
                except (TypeError, ValueError) as error:
                    yield row, b"", f"no JSON can hold it: {error}"
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:300]
        yield row + 1, b"", f"the rest of the file can't be read: {why}"


def _parquet(file: Path) -> Iterator[Any]:
    from pyarrow import parquet

    with parquet.ParquetFile(file) as opened:
        yield from opened.iter_batches(batch_size=_ROWS)


def _arrow(file: Path) -> Iterator[Any]:
    import pyarrow as arrow

    with arrow.OSFile(str(file)) as data:
        whole = data.read(len(_FILE)) == _FILE
        data.seek(0)
        if whole:
            reader = arrow.ipc.open_file(data)
            batches: Iterable[Any] = map(reader.get_batch, range(reader.num_record_batches))
        else:
            batches = arrow.ipc.open_stream(data)
        for batch in batches:
            batch.validate(full=True)  # places in it are followed without a look
            for start in range(0, batch.num_rows, _ROWS):
                yield batch.slice(start, _ROWS)


def _plain(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")


def delimited(stream: IO[bytes], longest: int) -> Iterator[Entry]:
    """Rows of CSV (RFC 4180) under names in the first row, by line; all values are texts.

    What separates fields is that of comma, semicolon, tab and bar which the first row has most of.

    Args:
        stream: UTF-8.
        longest: characters of a field.
    """
    csv.field_size_limit(longest)
    with io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text:
        first = text.readline(longest)
        separator = max(_DELIMITERS, key=first.count)
        names = next(csv.reader([first], delimiter=separator), [])
        if len(set(names)) < len(names):
            yield 1, os.fsencode(first), "two columns have the same name"
            return
        rows = csv.reader(text, delimiter=separator, strict=True)
        row: list[str] | None = []
        while row is not None:
            line = rows.line_num + 2
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield line, b"", f"not valid CSV: {error}"
            else:
                if row:
                    yield line, *_record(names, row)


def _record(names: list[str], row: list[str]) -> tuple[bytes, str]:
    """The JSON of a row, or what was read of it, and what is wrong."""
    try:
        data = orjson.dumps(dict(zip(names, row, strict=False)))
    except TypeError:  # a byte that is not UTF-8
        raw = "\t".join([*names, *row]).encode("utf-8", "surrogateescape")
        return raw, not_utf8(raw)
    if len(row) != len(names):
        return data, f"{len(row)} fields, the first row has {len(names)}"
    return data, ""
