"""The text files of a source tree: which are read, as what, and why the others are not."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.files.failure import failure
from buttress.files.folders import CACHES, INSTALLED, VENDORED, VERSION_CONTROL
from buttress.files.visible import printable

MAX_BYTES: Final = 8 << 20
MAX_FILES: Final = 200_000
_HEAD: Final = 8192  # bytes that tell text from binary
_NOTED: Final = 100  # reasons that are kept one by one
FOREIGN: Final = VERSION_CONTROL | INSTALLED | VENDORED
_TESTS: Final = {
    "test", "tests", "testing", "__tests__", "testdata", "test_data", "fixtures", "mock", "mocks",
    "example", "examples", "sample", "samples", "doc", "docs",
}  # fmt: skip
_TEST_FILE: Final = re.compile(
    r"^test_.*|^conftest\.py$|.*[_.-](?:test|tests|spec)\.[a-z]+$|.*\.(?:example|sample|template|dist)$"
)
_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A text file: ``location`` is its path relative to the asset, ``data`` its bytes.

    Files in UTF-16 are turned into UTF-8.
    """

    location: str
    data: bytes

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.location.rpartition("/")[2]

    @property
    def is_test(self) -> bool:
        """Whether it belongs to tests, examples or documentation, by its path in the asset."""
        *folders, name = self.location.lower().split("/")
        return any(folder in _TESTS for folder in folders) or bool(_TEST_FILE.match(name))


@dataclass(slots=True)
class Reading:
    """Counts what a walk reads and leaves out."""

    files: int = 0
    bytes: int = 0
    beyond: list[tuple[str, str]] = field(default_factory=list)  # limits met: location, what
    _counts: Counter[str] = field(default_factory=Counter)
    _notes: list[str] = field(default_factory=list)

    def leave_out(self, location: str, why: str) -> None:
        """Note something that was not read."""
        if len(self._notes) < _NOTED:
            self._notes.append(f"{location}: {why}")
        else:
            self._counts[f"more: {why}"] += 1

    def not_searched(self, location: str, why: str) -> None:
        """Note a limit that was met: what lies beyond it is told as a finding, too."""
        self.leave_out(location, why)
        self.beyond.append((location, why))

    @contextmanager
    def surviving(self, location: str) -> Iterator[None]:
        """Go on after a mistake of an inspector in one file, with a note that says so."""
        try:
            yield
        except (OSError, InputError):
            raise
        except Exception as error:
            self.leave_out(location, failure(error))

    def count(self, what: str) -> None:
        """Count something of a kind that is not worth a note each."""
        self._counts[what] += 1

    @property
    def skipped(self) -> tuple[str, ...]:
        """All that was left out: notes first, then counts."""
        return (*self._notes, *(f"{number} {what}" for what, number in self._counts.items()))


def text_files(root: Path, reading: Reading) -> Iterator[SourceFile]:
    """The text files below ``root``, or ``root`` itself, sorted by path.

    Text is what has no zero byte at its beginning. Links inside a folder are not followed, folders
    of foreign code are left out, and so is what is larger than ``MAX_BYTES``.
    """
    if not root.is_dir():
        yield from _read(root, printable(root.name), reading)
        return
    for path, location in _walk(root, reading):
        if reading.files >= MAX_FILES:
            reading.leave_out(location, f"more than {MAX_FILES:,} files; this and the rest")
            return
        yield from _read(path, location, reading)


def _walk(root: Path, reading: Reading) -> Iterator[tuple[str, str]]:
    def unreadable(error: OSError) -> None:
        name = os.path.relpath(error.filename, root) if error.filename else "."
        reading.leave_out(printable(name), error.strerror or "not readable")

    from buttress.files.selection import selected

    chosen = selected()
    for folder, names, files in os.walk(root, onerror=unreadable):
        inside = os.path.relpath(folder, root)
        prefix = "" if inside == "." else f"{printable(inside.replace(os.sep, '/'))}/"
        kept = []
        for name in sorted(names):
            if not chosen.enters(os.path.join(folder, name)):
                continue
            if name.lower() in FOREIGN:
                reading.leave_out(f"{prefix}{printable(name)}", "foreign code or version control")
            elif name.lower() in CACHES:
                reading.count("cache folders")
            else:
                kept.append(name)
        names[:] = kept
        for name in sorted(files):
            full = os.path.join(folder, name)
            if chosen.reads(full):
                yield full, f"{prefix}{printable(name)}"


def _read(path: str | Path, location: str, reading: Reading) -> Iterator[SourceFile]:
    top = isinstance(path, Path)  # what the user named may be a link
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags if top else flags | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        if os.path.islink(path):
            reading.count("links, not followed")
        else:
            reading.leave_out(location, error.strerror or "not readable")
        return
    with open(descriptor, "rb", buffering=0) as file:
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                reading.leave_out(location, "not a regular file")
                return
            data = file.read(min(_HEAD, status.st_size))
            encoding = _UTF16.get(data[:2])
            if encoding is None and b"\0" in data:
                reading.count("binary files")
                return
            if status.st_size > MAX_BYTES:
                reading.leave_out(location, f"larger than {MAX_BYTES >> 20} MiB")
                return
            if status.st_size > len(data):
                data += file.read(status.st_size - len(data))
        except OSError as error:
            reading.leave_out(location, error.strerror or "not readable")
            return
    reading.files += 1
    reading.bytes += len(data)
    if encoding is not None:
        data = data[2:].decode(encoding, "replace").encode("utf-8", "replace")
    yield SourceFile(location, data)
