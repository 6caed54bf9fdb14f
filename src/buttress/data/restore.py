"""Undoes what a run did: removed records come back, changes are taken back.

A run gave each readable record a number. The kept lines stand in the order of these numbers, and
``removed.jsonl.zst`` names the numbers that are missing, so the two merge into the corpus again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import orjson

from buttress.data import output
from buttress.data.edits import AppliedEdit, Edit, OverlapError, apply_edits, without
from buttress.data.output import CHANGES, KEPT, ORIGINALS, REMOVED, Digest
from buttress.data.records import Position, Record, content_key
from buttress.data.shards import MAX_RECORDS
from buttress.errors import InputError

_NEW: Final = "restored-"


@dataclass(slots=True)
class Restored:
    """What was put back. ``overlapping``: changes that later ones cover, and that stayed."""

    records: int = 0
    kept: int = 0
    removed: int = 0
    changed: int = 0
    overlapping: int = 0
    digest: str = ""
    removals: Counter[int] = field(default_factory=Counter)  # put back, by step
    changes: Counter[int] = field(default_factory=Counter)  # taken back, by step
    missing: list[str] = field(default_factory=list)  # ids that the run doesn't have


@dataclass(slots=True)
class _Numbered:
    """A record of the run: its line as kept or removed, and what was done to it."""

    number: int
    line: bytes
    removed: dict[str, Any] | None
    changes: list[dict[str, Any]]
    original: bytes | None


def restore(
    folder: Path, *, ids: Collection[str] = (), stage: str = "", kept: int, field_name: str = ""
) -> Restored:
    """Put back records by id, or all that a stage did, or, where neither is named, everything.

    A record named by id, and every one where all is restored, comes back as it came in, byte for
    byte. What a stage removed comes back as the stage saw it; later stages have not seen it.

    Args:
        folder: of a finished run.
        ids: of the records.
        stage: name of the stage.
        kept: number of records that the run kept.
        field_name: the field that the run read.

    Raises:
        InputError: the files are not as the run left them.
    """
    result = Restored()
    digest = Digest()
    wanted = set(ids)
    found: set[str] = set()
    with ExitStack() as stack:
        sinks = {
            name: stack.enter_context(output.open_to_write(folder / f".{_NEW}{name}"))
            for name in (CHANGES, REMOVED, ORIGINALS)
        }
        parts = _Parts(folder, stack)
        for one in _numbered(folder, kept):
            if wanted:
                name = Record(one.original or one.line, Position(0, "", 0)).id
                chosen = wanted & {name, *(change["id"] for change in one.changes)}
                if one.removed is not None:
                    chosen |= wanted & {one.removed["id"]}
                found |= chosen
                if chosen:
                    _take_back(one, result)
            elif stage:
                _undo_stage(one, stage, field_name, result)
            else:
                _take_back(one, result)
            _write(one, sinks, parts, digest, result)
    result.digest = digest.hexadecimal()
    result.missing = sorted(wanted - found)
    parts.replace()
    for name in sinks:
        (folder / f".{_NEW}{name}").replace(folder / name)
    return result


def _take_back(one: _Numbered, result: Restored) -> None:
    """The record as it came in."""
    if one.removed is None and not one.changes:
        return
    result.records += 1
    if one.removed is not None:
        result.removals[one.removed["step"]] += 1
    result.changes.update(change["step"] for change in one.changes)
    if one.original is not None:
        one.line = one.original
    one.removed, one.changes, one.original = None, [], None


def _undo_stage(one: _Numbered, stage: str, field_name: str, result: Restored) -> None:
    touched = False
    if one.removed is not None and one.removed["stage"] == stage:
        result.removals[one.removed["step"]] += 1
        one.removed, touched = None, True
    while True:
        places = [place for place, change in enumerate(one.changes) if change["stage"] == stage]
        if not places or not _undo_change(one, places[-1], field_name, result):
            break
        touched = True
    result.records += touched


def _undo_change(one: _Numbered, place: int, field_name: str, result: Restored) -> bool:
    """Take back one change below later ones; whether that was possible."""
    assert one.original is not None
    record = Record(one.original, Position(0, "", 0), field=field_name)
    texts = [slot.text for slot in record.slots]
    steps: list[list[AppliedEdit]] = []
    for change in one.changes:
        edits = [
            Edit(span["slot"], span["start"], span["end"], span["replacement"], span["type"])
            for span in change["spans"]
        ]
        texts, applied = apply_edits(texts, edits)
        steps.append(applied)
    try:
        texts, rest = without(texts, steps, place)
    except OverlapError:
        result.overlapping += 1
        return False
    result.changes[one.changes[place]["step"]] += 1
    undone = one.changes.pop(place)
    for change, edits_after in zip(one.changes, rest, strict=True):
        paths = {span["slot"]: span["field"] for span in (*undone["spans"], *change["spans"])}
        change["spans"] = [
            {
                "field": paths[edit.slot],
                "slot": edit.slot,
                "start": edit.start,
                "end": edit.end,
                "type": edit.kind,
                "replacement": edit.replacement,
            }
            for edit in edits_after
        ]
    one.line = record.with_texts(texts).line
    if not one.changes:
        one.original = None
    return True


def _write(
    one: _Numbered,
    sinks: dict[str, IO[bytes]],
    parts: _Parts,
    digest: Digest,
    result: Restored,
) -> None:
    if one.removed is None:
        parts.add(one.line)
        digest.add(content_key(orjson.loads(one.line)))
        result.kept += 1
        result.changed += bool(one.changes)
    else:
        result.removed += 1
        line = one.removed | {"record": msgspec.Raw(one.line)}
        sinks[REMOVED].write(msgspec.json.encode(line) + b"\n")
    for change in one.changes:
        sinks[CHANGES].write(orjson.dumps(change) + b"\n")
    if one.changes and one.original is not None:
        line = {"id": one.changes[0]["id"], "number": one.number}
        raw = line | {"record": msgspec.Raw(one.original)}
        sinks[ORIGINALS].write(msgspec.json.encode(raw) + b"\n")


class _Parts:
    """The kept records, in new files that replace the old ones at the end."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder / KEPT
        self._stack = stack
        self._count = 0
        self._file: IO[bytes] | None = None

    def add(self, line: bytes) -> None:
        """Write a record."""
        if self._count % MAX_RECORDS == 0:
            number = self._count // MAX_RECORDS
            path = self._folder / f".{_NEW}part-{number:05}.jsonl"
            self._file = self._stack.enter_context(path.open("wb"))
        assert self._file is not None
        self._file.write(line + b"\n")
        self._count += 1

    def replace(self) -> None:
        """Put the new files in place of the old."""
        for old in self._folder.glob("part-*.jsonl"):
            old.unlink()
        for new in sorted(self._folder.glob(f".{_NEW}part-*.jsonl")):
            new.replace(self._folder / new.name.removeprefix(f".{_NEW}"))


def kept_lines(folder: Path) -> Iterator[bytes]:
    """The kept records of a run, in order."""
    for part in sorted((folder / KEPT).glob("part-*.jsonl")):
        with part.open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")


def _numbered(folder: Path, kept: int) -> Iterator[_Numbered]:
    """All readable records of the run, by number."""
    lines = kept_lines(folder)
    removed = _Ahead(_present(folder, REMOVED))
    changes = _Ahead(_present(folder, CHANGES))
    originals = _Ahead(_present(folder, ORIGINALS))
    number = given = 0
    while True:
        gone = removed.take(number)
        if gone:
            line = gone[0].pop("record")
        else:
            line = next(lines, b"")
            if not line:
                break
            given += 1
        done = changes.take(number)
        first = originals.take(number)
        if bool(done) != bool(first):
            raise _changed(folder, f"record {number} is missing in {CHANGES} or {ORIGINALS}")
        original = first[0]["record"] if first else None
        yield _Numbered(number, line, gone[0] if gone else None, done, original)
        number += 1
    if given != kept or any(ahead.left for ahead in (removed, changes, originals)):
        raise _changed(folder, f"{given} kept records where {kept} are expected")


def _present(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    path = folder / name
    if not path.is_file():
        raise _changed(folder, f"no {name} in it")
    return output.read_lines(path)


def _changed(folder: Path, problem: str) -> InputError:
    return InputError(problem, file=str(folder), expected="the files as the run left them")


class _Ahead:
    """Reads a file of records by number, one ahead."""

    def __init__(self, lines: Iterator[dict[str, Any]]) -> None:
        self._lines = lines
        self._next = next(lines, None)

    @property
    def left(self) -> bool:
        """Whether something was not taken."""
        return self._next is not None

    def take(self, number: int) -> list[dict[str, Any]]:
        """All objects of that number."""
        found = []
        while self._next is not None and self._next["number"] == number:
            found.append(self._next)
            self._next = next(self._lines, None)
        return found
