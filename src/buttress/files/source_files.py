"""The text files of a source tree: which are read, as what, and why the others are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.files.failure import failure
from buttress.files.tree import MAX_TEXT, Tree, uri_of

_ALLOW: Final = re.compile(rb"buttress:[ \t]{0,8}allow")
MAX_BYTES: Final = MAX_TEXT
MAX_LARGE: Final = 256 << 20  # bytes of a file that is read in pieces
_OVERLAP: Final = 64 << 10
MAX_FILES: Final = 200_000
_NOTED: Final = 100  # reasons that are kept one by one
_TESTS: Final = {
    "test", "tests", "testing", "__tests__", "testdata", "test_data", "fixtures", "mock", "mocks",
    "e2e", "cassettes", "vcr_cassettes", "__snapshots__", "__fixtures__", "__mocks__", "golden",
    "goldens", "testcases", "example", "examples", "sample", "samples", "doc", "docs",
    "cookbook", "cookbooks", "tutorial", "tutorials",
}  # fmt: skip
_TEST_FOLDER: Final = re.compile(
    r"(?:auto|unit|integration|functional|smoke|regression|e2e)[_-]?tests?|tests?[_-][a-z0-9_-]+|"
    r"(?:samples?|examples?)[_-][a-z0-9_-]+"
)
_TEST_FILE: Final = re.compile(
    r"^(?:test|mock|fake|dummy)_.*|^(?:fixtures?|testdata)\..*|^\.env\.(?:tests?|testing|ci|e2e)$|^smoke_?tests?\..*|^conftest\.py$|.*[_.-](?:test|tests|spec|e2e)\.[a-z]+$|.*\.evals?\.[a-z]+$|.*\.(?:example|sample|template|dist|snap)$|"
    r"^\.(?:secrets?|gitleaks|betterleaks|trufflehog|gg)ignore$|^\.secrets\.baseline$"
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A text file: ``location`` is its path relative to the asset, ``data`` its bytes.

    Files in UTF-16 are turned into UTF-8.
    """

    location: str
    data: bytes
    uri: str = ""  # the path with its bytes percent-encoded, where ``location`` escapes some
    first_line: int = 1  # of a piece of a large file
    member: str = ""  # where it lies in an archive, each step after a ``!``

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return (self.member or self.location).rpartition("/")[2].rpartition("!")[2]

    @property
    def is_test(self) -> bool:
        """Whether it belongs to tests, examples or documentation, by its path in the asset.

        So do lists of what scanners for secrets have found, and somebody has accepted.
        """
        *folders, name = self.location.lower().split("/")
        return bool(_TEST_FILE.match(name)) or any(
            one in _TESTS or _TEST_FOLDER.fullmatch(one) for one in folders
        )


@dataclass(slots=True)
class SourceReading:
    """Counts what a walk reads and leaves out."""

    files: int = 0
    bytes: int = 0
    beyond: list[tuple[str, str]] = field(default_factory=list)  # limits met: location, what
    _counts: Counter[str] = field(default_factory=Counter)
    _notes: list[str] = field(default_factory=list)
    _unread: list[str] = field(default_factory=list)

    def record_skip(self, location: str, why: str) -> None:
        """Note something that was not read."""
        if len(self._notes) < _NOTED:
            self._notes.append(f"{location}: {why}")
        else:
            self._counts[f"more: {why}"] += 1

    def record_unread(self, location: str, why: str) -> None:
        """Note something that should have been read and was not."""
        self.record_skip(location, why)
        self._unread.append(f"{location}: {why}")

    def not_searched(self, location: str, why: str) -> None:
        """Note a limit that was met: what lies beyond it is told as a finding, too."""
        self.record_unread(location, why)
        self.beyond.append((location, why))

    @contextmanager
    def surviving(self, location: str, *told: type[Exception]) -> Iterator[None]:
        """Go on after a mistake of an inspector in one file, with a note that says so.

        Errors of the kinds ``told`` are no mistakes; they are raised, for the caller to tell.
        """
        try:
            yield
        except (OSError, InputError):
            raise
        except Exception as error:
            if isinstance(error, told):
                raise
            self.record_unread(location, failure(error))

    def of_no_kind(self, file: SourceFile) -> None:
        """Take back that a file was read: it is none of those that the probe is about."""
        self.files -= 1
        self.bytes -= len(file.data)

    def count(self, what: str, number: int = 1) -> None:
        """Count something of a kind that is not worth a note each."""
        if number:
            self._counts[what] += number

    @property
    def skipped(self) -> tuple[str, ...]:
        """All that was left out: notes first, then counts."""
        return (*self._notes, *(f"{number} {what}" for what, number in self._counts.items()))

    @property
    def unread(self) -> tuple[str, ...]:
        """Of ``skipped``, what should have been searched and was not; not cut short."""
        return tuple(self._unread)


def text_files(tree: Tree, reading: SourceReading, *, pieces: bool = False) -> Iterator[SourceFile]:
    """The text files of a tree in its order, without those of other people's code.

    Text is what has no zero byte at its beginning. What is larger than ``MAX_BYTES`` is left out,
    or comes in ``pieces`` that overlap, up to ``MAX_LARGE`` bytes.
    """
    for file in tree.own:
        if reading.files >= MAX_FILES:
            why = f"more than {MAX_FILES:,} files; this and the rest"
            reading.record_unread(file.location, why)
            break
        yield from text_file(tree, file.path, file.location, reading, pieces=pieces)
    for where, why in tree.text_notes():
        reading.record_skip(where, why)
    for what, number in tree.text_counts():
        reading.count(what, number)


def text_file(
    tree: Tree, path: str | Path, location: str, reading: SourceReading, *, pieces: bool = False
) -> Iterator[SourceFile]:
    """The file at a path if it is text, counted; else nothing, and the reason is noted."""
    content = tree.content(path)
    if content.link:
        reading.count("links, not followed")
    elif content.problem:
        reading.record_unread(location, content.problem)
    elif content.binary:
        reading.count("binary files")
    elif not content.whole and pieces:
        for piece in _pieces(path, location, reading):
            yield piece if tree.trusted else replace(piece, data=_unheeded(piece.data))
    elif not content.whole:
        reading.record_unread(location, f"larger than {MAX_BYTES >> 20} MiB")
    else:
        reading.files += 1
        reading.bytes += content.size
        text = content.text()
        yield SourceFile(
            location, text if tree.trusted else _unheeded(text), uri_of(str(path), location)
        )


def _unheeded(data: bytes) -> bytes:
    """A text in which no comment allows a finding: of the same length, so that places stay."""
    return _ALLOW.sub(lambda match: b"-" * len(match[0]), data)


def _pieces(path: str | Path, location: str, reading: SourceReading) -> Iterator[SourceFile]:
    """A large file in pieces, each of which begins with the end of the one before."""
    reading.files += 1
    line, kept, done = 1, b"", 0
    try:
        with open(path, "rb", buffering=0) as file:
            while done < MAX_LARGE and (data := file.read(MAX_BYTES)):
                done += len(data)
                reading.bytes += len(data)
                piece = kept + data
                yield SourceFile(location, piece, uri_of(str(path), location), line)
                cut = max(len(piece) - _OVERLAP, 0)
                cut = max(piece.rfind(b"\n", 0, cut) + 1, cut - _OVERLAP, 0)
                line += piece.count(b"\n", 0, cut)
                kept = piece[cut:]
            if file.read(1):
                reading.record_unread(location, f"what lies behind {MAX_LARGE >> 20:,} MiB")
    except OSError as error:
        reading.record_unread(location, error.strerror or "not readable")
