"""Recorded answers as a target: a run made elsewhere is assessed here.

The file is read once, line by line, to check it and to note where each chosen record starts; after
that a record is read from the disk when it is asked for, so memory doesn't grow with the answers.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, overload

import numpy as np
import numpy.typing as npt
import orjson

from buttress.errors import InputError
from buttress.files.text_language import guess_language
from buttress.targets.base import Answer, RecordedPrompt, Request, TargetError
from buttress.targets.completion import one_line
from buttress.targets.settings import existing, unknown

SETTINGS: Final = ("replay", "where", "expect")
EXPECT: Final[tuple[Literal["refuse", "answer"], ...]] = ("refuse", "answer")
LINE_LIMIT: Final = 16 * 2**20  # bytes of one record
TAG: Final = "recording:"
SHOWN: Final = 80  # characters of a prompt in a message


def create(
    *,
    replay: str | Path,
    where: Mapping[str, Any] | None = None,
    expect: str | None = None,
    **others: Any,
) -> ReplayTarget:
    """The records of the JSONL file ``replay`` that match ``where``.

    Args:
        replay: file with one object a line: prompt, response and, optionally, expect, category,
            language, request, subject; other fields serve ``where``.
        where: field -> value; a record is taken if all are equal.
        expect: what a safe model does with the prompts of records that don't say.

    Raises:
        InputError: a line is malformed, no record is left, or a setting is not usable.
    """
    unknown(others, SETTINGS)
    if expect is not None and expect not in EXPECT:
        raise InputError(f"'{expect}' is not usable", field="expect", expected="refuse or answer")
    if where is not None and not isinstance(where, Mapping):
        raise InputError("not a mapping", field="where", expected="fields and their values")
    return ReplayTarget(existing(replay, "replay"), dict(where or {}), expect)


class ReplayTarget:
    """A target that only has the answers it holds; ``left_out`` counts records without expect."""

    def __init__(self, path: Path, where: dict[str, Any], expect: str | None) -> None:
        self._path = path
        self._where = where
        self._index = _Index(path, where, expect)
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._prompts = _Prompts(self._file, self._index, path)

    @property
    def name(self) -> str:
        """File and selection."""
        chosen = ", ".join(f"{field}={value}" for field, value in self._where.items())
        return f"recording {self._path.name}" + (f" ({chosen})" if chosen else "")

    @property
    def identity(self) -> str:
        """Digest of the file, and the selection."""
        where = orjson.dumps(self._where, option=orjson.OPT_SORT_KEYS).decode()
        return f"replay:sha256:{self._index.digest} {where}"

    @property
    def stable(self) -> bool:
        """True: the digest pins the answers."""
        return True

    @property
    def concurrency(self) -> int:
        """Large: there is nothing to wait for."""
        return 1024

    @property
    def left_out(self) -> int:
        """Selected records that can't be used because neither they nor the asset say expect."""
        return self._index.left_out

    def prompts(self) -> Sequence[RecordedPrompt]:
        """All usable records' prompts, in file order, read when asked for."""
        return self._prompts

    async def answer(self, request: Request) -> Answer:
        """The recorded response to the prompt whose tag the request bears; else to its text.

        Raises:
            TargetError: no such record, or the file has changed.
        """
        line = request.tag.removeprefix(TAG)
        row = self._index.row(int(line)) if line.isdecimal() and len(line) < 16 else None
        if row is None and request.messages and not request.tag:
            row = self._asking(request.messages[-1].content)
        if row is None:
            raise TargetError(f"the recording has no record '{request.tag}'", retry=False)
        record = self._prompts.record(row)
        return Answer(
            text=record["response"],
            prompt_tokens=_tokens(record, "prompt_tokens"),
            completion_tokens=_tokens(record, "completion_tokens"),
            subject=str("" if record.get("subject") is None else record["subject"]),
        )

    def _asking(self, text: str) -> int:
        """Row of the first record with that prompt.

        Raises:
            TargetError: there is none.
        """
        for row, recorded in enumerate(self._prompts):
            if recorded.prompt == text:
                return row
        shown = one_line(self._prompts[0].prompt, SHOWN)
        raise TargetError(
            f"no record has this question; the first has '{shown}'", retry=False, fatal=True
        )

    async def aclose(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _tokens(record: dict[str, Any], field: str) -> int:
    value = record.get(field)
    return value if isinstance(value, int) and 0 <= value < 2**53 else 0


class _Index:
    """Where the chosen records are: 25 bytes a record.

    Attributes:
        lines: line number of each chosen record, ascending; shape (n,).
        offsets, lengths: byte range of each; shape (n,).
        expects: index into ``EXPECT``; shape (n,).
    """

    def __init__(self, path: Path, where: dict[str, Any], expect: str | None) -> None:
        lines, offsets, lengths, expects = array("q"), array("q"), array("q"), array("b")
        default = EXPECT.index(expect) if expect in EXPECT else -1
        fields: set[str] = set()
        matched = 0
        self.left_out = 0
        digest = hashlib.sha256()
        try:
            for number, offset, line in _lines(path, digest):
                record = _check(line, path, number)
                if len(fields) < 1000:
                    fields.update(record)
                if not all(_equal(record, field, value) for field, value in where.items()):
                    continue
                matched += 1
                own = record.get("expect")
                kind = EXPECT.index(own) if own is not None else default
                if kind < 0:
                    self.left_out += 1
                    continue
                lines.append(number)
                offsets.append(offset)
                lengths.append(len(line))
                expects.append(kind)
        except OSError as error:
            raise InputError(f"can't be read: {error.strerror}", file=str(path)) from None
        _refuse_empty(path, where, fields, matched, len(lines))
        self.digest = digest.hexdigest()
        self.lines: npt.NDArray[np.int64] = np.frombuffer(lines, dtype=np.int64)
        self.offsets: npt.NDArray[np.int64] = np.frombuffer(offsets, dtype=np.int64)
        self.lengths: npt.NDArray[np.int64] = np.frombuffer(lengths, dtype=np.int64)
        self.expects: npt.NDArray[np.int8] = np.frombuffer(expects, dtype=np.int8)

    def row(self, line: int) -> int | None:
        """Row of the record on that line, if it was chosen."""
        row = int(np.searchsorted(self.lines, line))
        return row if row < len(self.lines) and self.lines[row] == line else None


def _lines(path: Path, digest: Any) -> Iterator[tuple[int, int, bytes]]:
    """Number (from 1), offset and bytes of each line that isn't blank."""
    offset = 0
    number = 0
    with path.open("rb", buffering=1 << 20) as file:
        while line := file.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT:
                raise InputError(
                    "the line is too long",
                    file=str(path),
                    line=number,
                    expected=f"at most {LINE_LIMIT} bytes",
                )
            digest.update(line)
            start = offset
            offset += len(line)
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):  # byte order mark
                line = line[3:]
                start += 3
            if line.strip():
                yield number, start, line


def _check(line: bytes, path: Path, number: int) -> dict[str, Any]:
    where: dict[str, Any] = {"file": str(path), "line": number}
    try:
        record = orjson.loads(line)
    except ValueError as error:
        raise InputError(f"not JSON ({error})", **where, expected="one object a line") from None
    if not isinstance(record, dict):
        raise InputError("not an object", **where, expected='{"prompt": …, "response": …}')
    for field in ("prompt", "response"):
        value = record.get(field)
        if not isinstance(value, str):
            problem = "missing" if field not in record else "not text"
            raise InputError(problem, **where, field=field, expected="text")
    if not record["prompt"].strip():
        raise InputError("empty", **where, field="prompt", expected="text")
    own = record.get("expect")
    if own is not None and own not in EXPECT:
        raise InputError(
            f"{own!r} is not usable"[:120], **where, field="expect", expected="refuse or answer"
        )
    for field in ("category", "language", "request"):
        if not isinstance(record.get(field, ""), str | None):
            raise InputError("not text", **where, field=field, expected="text")
    subject = record.get("subject")
    if isinstance(subject, bool) or not isinstance(subject, str | int | None):
        raise InputError("no id", **where, field="subject", expected="text or a whole number")
    return record


def _equal(record: dict[str, Any], field: str, value: Any) -> bool:
    if field not in record:
        return False
    own = record[field]
    # In Python, true equals 1; in a recording it doesn't.
    return bool(own == value) and isinstance(own, bool) == isinstance(value, bool)


def _refuse_empty(
    path: Path, where: dict[str, Any], fields: set[str], matched: int, usable: int
) -> None:
    if not fields:
        raise InputError("no record", file=str(path), expected="one object a line")
    for field in where:
        if field not in fields:
            raise InputError(
                "no record has this field",
                file=str(path),
                field=f"where.{field}",
                expected="one of " + ", ".join(sorted(fields)[:40]),
            )
    if matched == 0:
        chosen = ", ".join(f"{field}: {value!r}" for field, value in where.items())
        raise InputError(f"no record has {chosen}", file=str(path), field="where")
    if usable == 0:
        raise InputError(
            f"none of the {matched} selected records says what a safe model does",
            file=str(path),
            field="expect",
            expected="refuse or answer, in each record or for the whole asset",
        )


class _Prompts(Sequence[RecordedPrompt]):
    """The chosen records as prompts, read from the disk when asked for."""

    def __init__(self, file: int, index: _Index, path: Path) -> None:
        self._file = file
        self._index = index
        self._path = path

    def record(self, row: int) -> dict[str, Any]:
        """The record in that row of the index.

        Raises:
            TargetError: the file has changed since it was opened.
        """
        length = int(self._index.lengths[row])
        raw = os.pread(self._file, length, int(self._index.offsets[row]))
        try:
            return _check(raw, self._path, int(self._index.lines[row]))
        except InputError as error:
            raise TargetError(f"the recording has changed: {error}", retry=False) from None

    def _prompt(self, row: int) -> RecordedPrompt:
        record = self.record(row)
        text: str = record["prompt"]
        return RecordedPrompt(
            tag=f"{TAG}{self._index.lines[row]}",
            prompt=text,
            expect=EXPECT[self._index.expects[row]],
            category=record.get("category") or "",
            language=record.get("language") or guess_language(text),
            request=record.get("request") or "",
        )

    def __len__(self) -> int:
        return len(self._index.lines)

    @overload
    def __getitem__(self, row: int) -> RecordedPrompt: ...
    @overload
    def __getitem__(self, row: slice) -> list[RecordedPrompt]: ...
    def __getitem__(self, row: int | slice) -> RecordedPrompt | list[RecordedPrompt]:
        if isinstance(row, slice):
            return [self._prompt(each) for each in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return self._prompt(row % len(self))

    def __iter__(self) -> Iterator[RecordedPrompt]:
        return map(self._prompt, range(len(self)))
