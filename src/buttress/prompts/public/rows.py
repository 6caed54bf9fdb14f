"""Files of rows, whatever their format: CSV, TSV, JSON, JSON Lines, text, Parquet.

The files are untrusted: sizes are bounded, and whatever is wrong with them is an ``InputError``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError, MissingExtraError

MAX_BYTES: Final = 64 * 2**20  # of one file
MAX_ROWS: Final = 1_000_000
_LISTS: Final = ("data", "rows", "prompts", "behaviors", "instances", "examples")


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One row. ``fields`` maps normalised column names to values.

    A row without columns (a line of text, a bare string in a list) has its text under "prompt".
    """

    fields: Mapping[str, object]
    file: str
    line: int | None = None
    place: str = ""

    def error(self, problem: str, column: str = "", expected: str | None = None) -> InputError:
        """An error that names the file, the line or row, and the column."""
        field = " ".join(part for part in (self.place, column) if part)
        return InputError(
            problem, file=self.file, line=self.line, field=field or None, expected=expected
        )


def read_rows(path: Path) -> Iterator[DatasetRow]:
    """The rows of a file, in order; blank ones are left out.

    Raises:
        InputError: not readable, too large, or not what its suffix says.
        MissingExtraError: a Parquet file where pyarrow isn't installed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"unknown kind of file '{path.suffix}'", file=str(path), expected=" ".join(_READERS)
        )
    try:
        if not path.is_file():
            raise InputError("not a file", file=str(path), expected="a file of prompts")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                "file too large", file=str(path), expected=f"at most {MAX_BYTES // 2**20} MiB"
            )
        yield from reader(path)
    except OSError as error:
        raise InputError(error.strerror or "can't be read", file=str(path)) from None


def readable(path: Path) -> bool:
    """Whether the suffix is one of a file of rows."""
    return path.suffix.lower() in _READERS


def normalise(column: str) -> str:
    """``Types of Harm`` as ``types_of_harm``."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8", file=str(path), expected="text in UTF-8"
        ) from None


def _read_lines(path: Path) -> Iterator[DatasetRow]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            yield DatasetRow({"prompt": line.strip()}, str(path), number)


def _read_csv(path: Path) -> Iterator[DatasetRow]:
    # Universal newlines would end quoted fields of one system's files in those of another.
    source = io.StringIO(_text(path), newline="")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for values in reader:
            line, start = start, reader.line_num + 1
            if not any(value.strip() for value in values):
                continue
            if header is None:
                header = [normalise(value) for value in values]
                continue
            if len(values) != len(header):
                raise InputError(
                    f"{len(values)} fields",
                    file=str(path),
                    line=line,
                    expected=f"{len(header)}, as in the header",
                )
            yield DatasetRow(dict(zip(header, values, strict=True)), str(path), line)
    except csv.Error as error:
        raise InputError(
            f"not CSV ({error})", file=str(path), line=start, expected="comma-separated"
        ) from None


def _read_json_lines(path: Path) -> Iterator[DatasetRow]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except ValueError as error:
            raise InputError(
                f"not JSON ({error})", file=str(path), line=number, expected="one object a line"
            ) from None
        yield _row(value, path, number, "")


def _read_json(path: Path) -> Iterator[DatasetRow]:
    text = _text(path)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if _starts_with_an_object(text):  # JSON Lines are often named .json
            yield from _read_json_lines(path)
            return
        raise InputError(
            f"not JSON ({error.msg})", file=str(path), line=error.lineno, expected="a JSON list"
        ) from None
    for index, item in enumerate(_items(value, path)):
        yield _row(item, path, None, f"[{index}]")


def _starts_with_an_object(text: str) -> bool:
    first = text.lstrip().partition("\n")[0]
    try:
        return isinstance(orjson.loads(first), dict)
    except ValueError:
        return False


def _items(value: object, path: Path) -> list[Any]:
    """The rows in a JSON document: a list, a list under a usual key, or columns by name."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        inner: list[Any] | None = next(
            (value[key] for key in _LISTS if isinstance(value.get(key), list)), None
        )
        if inner is not None:
            return inner
        columns = {
            name: list(column.values()) if isinstance(column, dict) else column
            for name, column in value.items()
        }
        lengths = {len(column) if isinstance(column, list) else -1 for column in columns.values()}
        if len(lengths) == 1 and -1 not in lengths:
            return [
                dict(zip(columns, values, strict=True))
                for values in zip(*columns.values(), strict=True)
            ]
    raise InputError(
        "no rows in it", file=str(path), expected="a list, or columns of the same length"
    )


def _row(value: object, path: Path, line: int | None, place: str) -> DatasetRow:
    if isinstance(value, dict):
        return DatasetRow(
            {normalise(key): item for key, item in value.items()}, str(path), line, place
        )
    if isinstance(value, str):
        return DatasetRow({"prompt": value}, str(path), line, place)
    raise DatasetRow({}, str(path), line, place).error("not a row", expected="an object or text")


def _read_parquet(path: Path) -> Iterator[DatasetRow]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("reading Parquet", "parquet") from None
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            declared = sum(
                file.metadata.row_group(index).total_byte_size
                for index in range(file.metadata.num_row_groups)
            )
            if file.metadata.num_rows > MAX_ROWS or declared > MAX_BYTES:
                raise InputError("table too large", file=str(path), expected="a set of prompts")
            # Only columns of plain values: nothing of a prompt set is nested.
            names = [
                field.name for field in file.schema_arrow if not arrow.types.is_nested(field.type)
            ]
            for batch in file.iter_batches(batch_size=1024, columns=names):
                for record in batch.to_pylist():
                    number += 1
                    fields = {normalise(name): value for name, value in record.items()}
                    yield DatasetRow(fields, str(path), None, f"row {number}")
    except (arrow.ArrowException, OSError, ValueError, MemoryError, OverflowError) as error:
        problem = str(error).partition("\n")[0][:120] or type(error).__name__
        raise InputError(f"not Parquet ({problem})", file=str(path)) from None


_READERS: Final[Mapping[str, Callable[[Path], Iterator[DatasetRow]]]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".txt": _read_lines,
    ".parquet": _read_parquet,
}
