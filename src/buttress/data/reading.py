"""Reads inputs record by record: JSON Lines, JSON, Parquet, text; plain, gzip or Zstandard.

Inputs are untrusted. What can't be read is yielded as ``Unreadable`` with its place, and reading
goes on. Memory is bounded by ``MAX_LINE``, or by one row group of a Parquet file.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson

from buttress.data.records import Position, text_slots
from buttress.errors import InputError, MissingExtraError

MAX_LINE: Final = 64 << 20  # bytes of one record
MAX_KEPT: Final = 1 << 20  # bytes of an unreadable record that are kept aside
_PIECE: Final = 2 << 10  # compressed bytes at once: bounds what a bomb can expand to
_LINES: Final = (".jsonl", ".ndjson", ".json")
_TEXTS: Final = (".txt", ".md", ".text", ".rst")
_PACKED: Final = (".gz", ".zst")
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Readable:
    """A record: its JSON on one line, and its place."""

    line: bytes
    position: Position


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
            found += sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and kind_of(file)
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
        elif path.is_file():
            if not kind_of(path):
                raise InputError("unknown kind of file", file=str(path), expected=_expected())
            found.append(path)
        else:
            raise InputError("no such file or folder", file=str(path), expected=_expected())
    if not found:
        raise InputError("no file to read", file=str(paths[0]), expected=_expected())
    return list(dict.fromkeys(found))


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
    return "JSON Lines, JSON, Parquet or text, also with .gz or .zst"


def read(files: Sequence[Path], field: str = "") -> Iterator[Readable | Unreadable]:
    """All records of the files, in order.

    A record without a text (``records.text_slots`` with ``field``) is unreadable as well.
    """
    number = 0
    for file in files:
        name = str(file)
        for line, data, reason in _entries(file):
            problem = reason or _problem(data, field)
            if problem:
                yield Unreadable(name, line, problem, data[:MAX_KEPT])
            else:
                yield Readable(data, Position(number, name, line))
                number += 1


_Entry = tuple[int, bytes, str]  # line, the record's JSON or what was read of it, what is wrong


def _problem(line: bytes, field: str) -> str:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"not valid JSON: {' '.join(str(error).split())}"
    if not isinstance(data, dict):
        return "no JSON object"
    if not any(True for _ in text_slots(data, field)):
        return f"no text in field '{field}'" if field else "no field with text; name it by --field"
    return ""


def _entries(file: Path) -> Iterator[_Entry]:
    kind = kind_of(file)
    if kind == "parquet":
        yield from _parquet(file)
        return
    line = 0
    try:
        with _opened(file) as stream:
            if kind == "text":
                yield _text(stream)
                return
            for line, data, reason in _json(stream):
                yield line, data, reason
    except MissingExtraError:
        raise
    except (OSError, EOFError, zlib.error, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        yield line + 1, b"", f"the rest of the file can't be read: {' '.join(why.split())}"


def _opened(file: Path) -> IO[bytes]:
    suffix = file.suffix.lower()
    if suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(file, "rb"), 1 << 20)
    if suffix == ".zst":
        return io.BufferedReader(_Zstandard(file), 1 << 20)
    return file.open("rb")


class _Zstandard(io.RawIOBase):
    """Decompresses all frames of a file; one that ends too early is an error."""

    def __init__(self, file: Path) -> None:
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("reading .zst files", "data") from None
        self._module: Any = zstandard
        self._file = file.open("rb")
        self._frame: Any = None
        self._ready = b""
        self._compressed = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """As ``io.RawIOBase``.

        Raises:
            ValueError: not Zstandard, or truncated.
        """
        while not self._ready:
            if not self._compressed:
                self._compressed = self._file.read(_PIECE)
                if not self._compressed:
                    if self._frame is not None:
                        raise ValueError("the compressed data ends too early")
                    return 0
            if self._frame is None:
                self._frame = self._module.ZstdDecompressor().decompressobj()
            try:
                self._ready = self._frame.decompress(self._compressed)
            except self._module.ZstdError as error:
                raise ValueError(str(error)) from None
            self._compressed = b""
            if self._frame.eof:
                self._compressed = self._frame.unused_data
                self._frame = None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _text(stream: IO[bytes]) -> _Entry:
    """A whole file is one record, ``{"text": …}``."""
    data = stream.read(MAX_LINE + 1)
    if len(data) > MAX_LINE:
        return 1, data[:MAX_KEPT], "larger than 64 MiB"
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        return 1, data, f"byte {error.start} is not UTF-8"
    return 1, orjson.dumps({"text": text}), ""


def _json(stream: IO[bytes]) -> Iterator[_Entry]:
    """Lines; or, where the file begins with a bracket, the members of one array."""
    number = 0
    while data := stream.readline(MAX_LINE + 1):
        number += 1
        if len(data) > MAX_LINE:
            start = data[:MAX_KEPT]
            while data and not data.endswith(b"\n"):
                data = stream.readline(MAX_LINE)
            yield number, start, "larger than 64 MiB"
            continue
        line = data.removeprefix(_BOM).strip() if number == 1 else data.strip()
        if number == 1 and line.startswith(b"[") and not _whole(line):
            yield from _array(line, stream)
            return
        if line.startswith(b"[") and number == 1:
            yield from _members(line)
        elif line:
            yield number, line, ""


def _whole(line: bytes) -> bool:
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
        yield error.lineno, data[:MAX_KEPT], f"not valid JSON: {' '.join(str(error).split())}"
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
