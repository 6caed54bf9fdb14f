"""Reads inputs record by record: JSON Lines, JSON, tables, text; plain or compressed.

Inputs are untrusted. What can't be read is yielded as ``Unreadable`` with its place, and reading
goes on. Memory is bounded by ``MAX_LINE``, or by one row group or batch of a table.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson

from buttress.data.compressed import opened
from buttress.data.inputs import kind_of
from buttress.data.records import Position, own_text_slots, text_slots, unread_fields
from buttress.data.tables import Entry, columnar, delimited
from buttress.errors import MissingExtraError
from buttress.files.utf8 import as_utf8, not_utf8
from buttress.files.visible import printable_name

MAX_LINE: Final = 64 << 20  # bytes of one record
MAX_DEPTH: Final = 200  # objects and lists inside each other
_TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} levels"
MAX_KEPT: Final = 1 << 20  # bytes of an unreadable record that are kept aside
_DECODER: Final = json.JSONDecoder()
_GAP: Final = re.compile(r"[ \t\r\n,]*")
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Readable:
    """A record: its JSON on one line and parsed, its place, and its fields that are not read."""

    line: bytes
    position: Position
    data: dict[str, Any]
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read: where, why, and its first bytes."""

    file: str
    line: int
    reason: str
    raw: bytes = b""


def read(files: Sequence[Path], field: str = "") -> Iterator[Readable | Unreadable]:
    """All records of the files, in order.

    A record without a text (``records.text_slots`` with ``field``) is unreadable as well.
    """
    number = 0
    for file in files:
        name = printable_name(str(file))
        for line, data, reason in _entries(file):
            parsed = reason or _parsed(data, field)
            several = _sequence(data) if isinstance(parsed, str) and not reason else []
            for one in several or [data]:
                if one is not data:
                    parsed = _parsed(one, field)
                if isinstance(parsed, str):
                    yield Unreadable(name, line, parsed, one[:MAX_KEPT])
                else:
                    place = Position(number, name, line)
                    yield Readable(one, place, parsed, frozenset(unread_fields(parsed, field)))
                    number += 1


def _parsed(line: bytes, field: str) -> dict[str, Any] | str:
    """A record, or what is wrong with it."""
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _not_json(line, error)
    if not isinstance(data, dict):
        return "no JSON object"
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _too_deep(data):
        return _TOO_DEEP
    if not any(True for _ in text_slots(data, field)):
        return f"no text in field '{field}'" if field else "no field with text; name it by --field"
    return data


def _not_json(data: bytes, error: orjson.JSONDecodeError) -> str:
    """What is wrong with bytes that are no JSON; Python and others write NaN into it."""
    if problem := not_utf8(data):
        return problem
    hint = "; JSON has no NaN and no Infinity, write null" if _NO_NUMBER.search(data) else ""
    return f"not valid JSON: {' '.join(str(error).split())}{hint}"


_NO_NUMBER: Final = re.compile(rb"[:,\[]\s*-?(?:NaN|Infinity)\b")


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


def _entries(file: Path) -> Iterator[Entry]:
    kind = kind_of(file)
    if kind in ("parquet", "arrow"):
        yield from columnar(file, kind)
        return
    line = 0
    try:
        with as_utf8(opened(file)) as stream:
            if kind == "text":
                yield _text(stream)
                return
            if kind == "csv":
                yield from delimited(stream, MAX_LINE)
                return
            whole = ".json" in (suffix.lower() for suffix in file.suffixes)
            for line, data, reason in _json(stream, whole):
                yield line, data, reason
    except MissingExtraError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        yield line + 1, b"", f"the rest of the file can't be read: {' '.join(why.split())}"


def _text(stream: IO[bytes]) -> Entry:
    """A whole file is one record, ``{"text": …}``."""
    data = stream.read(MAX_LINE + 1)
    if len(data) > MAX_LINE:
        return 1, data[:MAX_KEPT], "larger than 64 MiB"
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        return 1, data, not_utf8(data)
    return 1, orjson.dumps({"text": text}), ""


def _json(stream: IO[bytes], whole: bool) -> Iterator[Entry]:
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
    elif line.startswith(b"{") and len(first) <= MAX_LINE and (whole or not _is_json(line)):
        entries = _object(line) if whole else None
        if entries is None:  # not on one line
            rest = stream.read(MAX_LINE)
            both = line + b"\n" + rest
            entries = _object(both) if whole else None
            if entries is None:
                entries = [(place, one, "") for place, one in enumerate(_sequence(both), 1)]
            if entries and len(rest) < MAX_LINE:
                yield from entries
                return
            yield from _lines(first, io.BytesIO(rest + stream.readline(MAX_LINE)))
            yield from _lines(b"", stream, rest.count(b"\n") + 2)
            return
        yield from entries
        first = b"\n"
    yield from _lines(first, stream)


def _lines(first: bytes, stream: IO[bytes], start: int = 1) -> Iterator[Entry]:
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


def _object(data: bytes) -> list[Entry] | None:
    """One object: a record, or where it has no text the members of its lists; None for others."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or _too_deep(value):
        return [(1, data, "")]  # told as any other line is
    if any(True for _ in own_text_slots(value)):
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


def _sequence(data: bytes) -> list[bytes]:
    """Objects one after the other, over lines or on one, each on one line; empty if it is more.

    Between them may be commas: firehoses write nothing, ``jq`` line breaks, editors commas.
    """
    if not data.lstrip().startswith(b"{"):
        return []
    found: list[bytes] = []
    try:
        text = data.decode("utf-8")
        place = 0
        while place < len(text):
            value, end = _DECODER.raw_decode(text, place)
            if not isinstance(value, dict):
                return []
            # A line break is never inside a string of JSON.
            found.append(" ".join(text[place:end].split("\n")).encode())
            gap = _GAP.match(text, end)
            place = gap.end() if gap else end
    except (ValueError, RecursionError):
        return []
    return found


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _array(start: bytes, stream: IO[bytes]) -> Iterator[Entry]:
    rest = stream.read(MAX_LINE + 1)
    if len(rest) > MAX_LINE:
        yield 1, start[:MAX_KEPT], "an array larger than 64 MiB; write one object a line instead"
        return
    yield from _members(start + b"\n" + rest)


def _members(data: bytes) -> Iterator[Entry]:
    try:
        members = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        yield error.lineno, data[:MAX_KEPT], _not_json(data, error)
        return
    for place, member in enumerate(members, 1):
        if isinstance(member, (dict, list)) and _too_deep(member):
            yield place, b"", _TOO_DEEP
        else:
            yield place, orjson.dumps(member), ""
