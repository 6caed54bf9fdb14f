"""What the symbolic machine keeps on its stack and in its memo.

Plain data is one sentinel, whatever it is. Only what can decide what runs is told apart: text (as
undecoded ``bytes``), imports, tuples that hold one of these, bytes constants that begin like a
file, and the two kinds of object (dtype, joblib's array wrapper) that tell where raw bytes follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from buttress.evidence.findings import Severity
from buttress.probes.artifacts.pickles.judge import NameJudgement
from buttress.probes.artifacts.pickles.opcodes import (
    BINGET,
    HIGHEST_PROTOCOL,
    PLAIN_LENGTH,
    PROTO,
)

HEAD_KEPT: Final = 128  # bytes of a constant that tell what it is
_FILE_HEADS: Final = (b"PK\x03\x04", b"\x93NUMPY", b"\x1f\x8b")
_OLD_PICKLE: Final = re.compile(rb"[(\]}]{0,4}[ci][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")
SPELLED: Final = 24  # characters; an empty call of something has more
_BASE64: Final = re.compile(rb"gA[I-X][A-Za-z0-9+/_\r\n-]{%d}" % SPELLED)
_HEX: Final = re.compile(rb"(?i:800[2-5][0-9a-f]{%d})" % SPELLED)


# Opcodes that push one plain value, or a value of the memo, in runs of one length each; compiled
# where it is needed.
_WIDTHS: Final = (0, 1, 2, 3, 5, 9)
_RUN: Final = rb"(?s:([N\x88\x89)\]}\x8f]+)|((?:[Kh].)+)|((?:M..)+)|((?:J.{4})+)|((?:G.{8})+))"


class _Sentinel:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


PLAIN: Final = _Sentinel("…")
EMPTY: Final = ()  # the arguments of a call that has none
BOTTOM: Final = _Sentinel("(nothing)")  # below the first value, so that a look there is no error


class ValueSequence:
    """Several values in a row, looked at only when somebody has to know which, or how many.

    They are plain; where ``memo`` is given, BINGETs of plain values and texts may be among them.
    """

    __slots__ = ("_count", "_raw", "memo")

    def __init__(self, raw: bytes, count: int = 0, memo: dict[int, Any] | None = None) -> None:
        self._raw = raw  # opcodes that each push one value
        self._count = count
        self.memo = memo

    @property
    def count(self) -> int:
        """How many values. To know it drops the opcodes, and texts become plain with them."""
        if self._raw:
            self._count += sum(
                (run.end() - run.start()) // _WIDTHS[run.lastindex or 0]
                for run in re.finditer(_RUN, self._raw)
            )
            self._raw, self.memo = b"", None
        return self._count

    def drop(self) -> None:
        """Take one away."""
        self._count = self.count - 1

    def values(self) -> list[Any]:
        """The values one by one, of a run with a memo."""
        memo = self.memo or {}
        return [
            memo.get(argument, PLAIN) if code == BINGET else PLAIN
            for code, argument in self._opcodes()
        ]

    def _opcodes(self) -> Iterator[tuple[int, int]]:
        position, end, raw = 0, len(self._raw), self._raw
        while position < end:
            code = raw[position]
            width = PLAIN_LENGTH[code] or 2  # a BINGET is the only other one
            yield code, raw[position + 1] if width == 2 else 0
            position += width


class Misuse(NamedTuple):
    """An allowed name used otherwise than frameworks use it: the end of a sentence that tells how,
    how grave that is, and what it was given."""

    offset: int
    sentence: str
    severity: Severity
    proof: str


@dataclass(slots=True)
class Import:
    """A global that a stream imports: one object for each name, however often it is imported."""

    module: str
    name: str
    offset: int
    judgement: NameJudgement
    pushes: int = 0  # times that it came onto the stack
    harmless: int = 0  # times that it left it in a use known to be harmless
    pushed_at: int = 0  # where it last came onto the stack
    gives_plain: bool = False  # called before, as frameworks do; the result is plain data
    any_arguments: bool = False  # so whatever plain data the arguments are
    shortcut: Callable[[Any, int], int] | None = (
        None  # for what is usually done with it: see arrays
    )
    called_at: int | None = None
    arguments: tuple[Any, ...] | None = None  # of the first call, where known
    texts: tuple[bytes, ...] = ()  # among the arguments of that call
    code: str = ""  # a text like code in the state of what it made
    misuse: Misuse | None = None  # the first

    @property
    def full(self) -> str:
        """Dotted name."""
        return f"{self.module}.{self.name}" if self.module else self.name


class Blob(NamedTuple):
    """A bytes constant that begins like a file of its own: where it lies in the source.

    ``spelling``: the codec in which protocols 0 to 2 write bytes as text, or ``base64`` or ``hex``;
    "" for bytes as they are.
    """

    offset: int
    length: int
    spelling: str = ""

    def __repr__(self) -> str:
        return f"<{self.length} bytes>"


class LongText(NamedTuple):
    """Text too long to keep that may be a file's bytes: they are so once ``_codecs.encode`` ran."""

    blob: Blob

    def __repr__(self) -> str:
        return f"<text of {self.blob.length} bytes>"


@dataclass(slots=True)
class Dtype:
    """A NumPy dtype: bytes per element, and whether elements are objects."""

    itemsize: int
    objects: bool


class ArrayWrapper:
    """joblib's stand-in for an array, whose bytes follow right after its BUILD."""


class Computed(NamedTuple):
    """The result of a call that is not known to give plain data."""

    made_by: str
    by: Import | None = None
    partial: bool = False  # it calls or fetches something once it is called itself

    def __repr__(self) -> str:
        return f"{self.made_by}(…)"


def spelling(head: bytes) -> str:
    """``base64`` or ``hex`` where a constant is a pickle of protocol 2 to 5 in that spelling."""
    if _BASE64.match(head):
        return "base64"
    return "hex" if _HEX.match(head) else ""


def like_a_file(head: bytes) -> bool:
    """Whether a constant that begins so may be a pickle, an archive or an array of its own."""
    if head.startswith(_FILE_HEADS) or _OLD_PICKLE.match(head):
        return True
    return len(head) > 1 and head[0] == PROTO and head[1] <= HIGHEST_PROTOCOL
