"""Reads inputs record by record: JSON Lines, JSON, Parquet, text; plain or compressed.

Inputs are untrusted. What can't be read is yielded as ``Unreadable`` with its place, and reading
goes on. Memory is bounded by ``MAX_LINE``, or by one row group of a Parquet file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson

from buttress.data.compressed import opened
from buttress.data.records import Position, text_slots, unread_fields
from buttress.errors import InputError, MissingExtraError
from buttress.files.utf8 import as_utf8, not_utf8

MAX_LINE: Final = 64 << 20  # bytes of one record
MAX_DEPTH: Final = 200  # objects and lists inside each other
MAX_KEPT: Final = 1 << 20  # bytes of an unreadable record that are kept aside
_LINES: Final = (".jsonl", ".jsonlines", ".ndjson", ".json")
_TEXTS: Final = (".txt", ".md", ".text", ".rst")
_PACKED: Final = (".gz", ".zst", ".xz", ".bz2")
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Readable:
    """A record: its JSON on one line, its place, and its fields with strings that are not read."""

    line: bytes
    position: Position
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read: where, why, and its first bytes."""

    file: str
    line: int
    reason: str
    raw: bytes = b""


def expand(paths: Sequence[Path]) -> list[Path]:
    """The files to read: those given, and those with a known suffix in folders, sorted.

    Raises:
        InputError: a path does not exist, or there is no file to read.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += filter(kind_of, _shown_files(path))
        elif path.is_file():
            if not kind_of(path):
                raise InputError("unknown kind of file", file=str(path), expected=_expected())
            found.append(path)
        else:
            raise InputError("no such file or folder", file=str(path), expected=_expected())
    if not found:
        raise InputError("no file to read", file=str(paths[0]), expected=_expected())
    return list(dict.fromkeys(found))


def passed_over(paths: Sequence[Path]) -> list[Path]:
    """Files in these folders that ``expand`` leaves out, as their suffix is not known."""
    folders = [path for path in paths if path.is_dir()]
    return [file for path in folders for file in _shown_files(path) if not kind_of(file)]


def _shown_files(folder: Path) -> list[Path]:
    """Files at any depth, sorted, but for hidden ones."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def kind_of(path: Path) -> str:
    """ "lines", "parquet" or "text" by the name; empty for other files."""
    suffixes = [one.lower() for one in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    last = suffixes[-1] if suffixes else ""
    if last in _LINES:
        return "lines"
    if last == ".parquet":
        return "parquet"
    return "text" if last in _TEXTS else ""


def _expected() -> str:
    return "JSON Lines, JSON, Parquet or text, also with .gz, .zst, .xz or .bz2"


def read(files: Sequence[Path], field: str = "") -> Iterator[Readable | Unreadable]:
    """All records of the files, in order.

    A record without a text (``records.text_slots`` with ``field``) is unreadable as well.
    """
    number = 0
    for file in files:
        name = str(file)
        for line, data, reason in _entries(file):
            problem, unread = (reason, _NONE) if reason else _checked(data, field)
            if problem:
                yield Unreadable(name, line, problem, data[:MAX_KEPT])
            else:
                yield Readable(data, Position(number, name, line), unread)
                number += 1


_NONE: Final[frozenset[str]] = frozenset()
_Entry = tuple[int, bytes, str]  # line, the record's JSON or what was read of it, what is wrong


def _checked(line: bytes, field: str) -> tuple[str, frozenset[str]]:
    """What is wrong with a record, and its fields that are not read."""
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return not_utf8(line) or f"not valid JSON: {' '.join(str(error).split())}", _NONE
    if not isinstance(data, dict):
        return "no JSON object", _NONE
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _too_deep(data):
        return f"nested deeper than {MAX_DEPTH} levels", _NONE
    if not any(True for _ in text_slots(data, field)):
        return (
            f"no text in field '{field}'" if field else "no field with text; name it by --field"
        ), _NONE
    return "", frozenset(unread_fields(data, field))


def _too_deep(data: Any) -> bool:
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _entries(file: Path) -> Iterator[_Entry]:
    kind = kind_of(file)
    if kind == "parquet":
        yield from _parquet(file)
        return
    line = 0
    try:
        with as_utf8(opened(file)) as stream:
            if kind == "text":
                yield _text(stream)
                return
            whole = ".json" in (suffix.lower() for suffix in file.suffixes)
            for line, data, reason in _json(stream, whole):
                yield line, data, reason
    except MissingExtraError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        yield line + 1, b"", f"the rest of the file can't be read: {' '.join(why.split())}"


def _text(stream: IO[bytes]) -> _Entry:
    """A whole file is one record, ``{"text": …}``."""
    data = stream.read(MAX_LINE + 1)
    if len(data) > MAX_LINE:
        return 1, data[:MAX_KEPT], "larger than 64 MiB"
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        return 1, data, not_utf8(data)
    return 1, orjson.dumps({"text": text}), ""


def _json(stream: IO[bytes], whole: bool) -> Iterator[_Entry]:
    """Lines; or, where the file begins with a bracket, the members of one array.

    With ``whole`` the file may also be a single object over several lines.
    """
    first = stream.readline(MAX_LINE + 1).removeprefix(_BOM)
    line = first.strip()
    if line.startswith(b"["):
        if not _is_json(line):
            yield from _array(line, stream)
            return
        yield from _members(line)
        first = b"\n"
    elif whole and line.startswith(b"{") and len(first) <= MAX_LINE:
        entries = _object(line)
        if entries is None:  # not on one line
            rest = stream.read(MAX_LINE)
            if (entries := _object(line + b"\n" + rest)) is not None and len(rest) < MAX_LINE:
                yield from entries
                return
            yield from _lines(first, io.BytesIO(rest + stream.readline(MAX_LINE)))
            yield from _lines(b"", stream, rest.count(b"\n") + 2)
            return
        yield from entries
        first = b"\n"
    yield from _lines(first, stream)


def _lines(first: bytes, stream: IO[bytes], start: int = 1) -> Iterator[_Entry]:
    number = start - 1
    data = first or stream.readline(MAX_LINE + 1)
    while data:
        number += 1
        if len(data) > MAX_LINE:
            beginning = data[:MAX_KEPT]
            while data and not data.endswith(b"\n"):
                data = stream.readline(MAX_LINE)
            yield number, beginning, "larger than 64 MiB"
        elif line := data.strip():
            yield number, line, ""
        data = stream.readline(MAX_LINE + 1)


def _object(data: bytes) -> list[_Entry] | None:
    """One object: a record, or where it has no text the members of its lists; None for others."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if any(True for _ in text_slots(value)):
        return [(1, orjson.dumps(value), "")]
    members = [
        one
        for rows in value.values()
        if isinstance(rows, list) and rows and all(isinstance(one, dict) for one in rows)
        for one in rows
    ]
    if not members:
        return [(1, orjson.dumps(value), "")]
    return [(place, orjson.dumps(one), "") for place, one in enumerate(members, 1)]


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _array(start: bytes, stream: IO[bytes]) -> Iterator[_Entry]:
    rest = stream.read(MAX_LINE + 1)
    if len(rest) > MAX_LINE:
        yield 1, start[:MAX_KEPT], "an array larger than 64 MiB; write one object a line instead"
        return
    yield from _members(start + b"\n" + rest)


def _members(data: bytes) -> Iterator[_Entry]:
    try:
        members = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        why = not_utf8(data) or f"not valid JSON: {' '.join(str(error).split())}"
        yield error.lineno, data[:MAX_KEPT], why
        return
    for place, member in enumerate(members, 1):
        yield place, orjson.dumps(member), ""


def _parquet(file: Path) -> Iterator[_Entry]:
    """Rows of a Parquet file; dates and the like become text, bytes that are no text are told."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("reading Parquet files", "data") from None
    row = 0
    try:
        with parquet.ParquetFile(file) as opened:
            for batch in opened.iter_batches(batch_size=256):
                for data in batch.to_pylist():
                    row += 1
                    try:
                        yield row, orjson.dumps(data, default=str), ""
                    except (TypeError, ValueError) as error:
                        yield row, b"", f"no JSON can hold it: {error}"
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:300]
        yield row + 1, b"", f"the rest of the file can't be read: {why}"
