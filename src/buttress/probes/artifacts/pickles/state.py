"""The machine's stack, memo and view of the bytes, with their limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from buttress.files.byte_source import ByteSource
from buttress.probes.artifacts.pickles.judge import OWN_LISTS, NameLists
from buttress.probes.artifacts.pickles.opcodes import LOOP_LENGTH, PLAIN_ONE
from buttress.probes.artifacts.pickles.values import BOTTOM, PLAIN, Blob, Import, ValueSequence

CHUNK: Final = 1 << 18
TEXT_KEPT: Final = 4096  # bytes of a longer text that are kept
NAME_KEPT: Final = 256  # text longer than this is not kept in the memo
_MEMO_BUDGET: Final = 48 << 20  # bytes, roughly, for values kept in the memo
_MAX_SPARSE: Final = 200_000  # memo indices out of order
_MAX_STACK: Final = 400_000
_MAX_IMPORTS: Final = 5_000
_MAX_NOTES: Final = 50
_MAX_BLOBS: Final = 500
_EXACT_LENGTH: Final = (0,) * 256
Matcher = Callable[[bytes, int], re.Match[bytes] | None]
_NOTHING: Final[Matcher] = re.compile(b"").match


class BrokenError(Exception):
    """An unpickler stops here."""


@dataclass(slots=True)
class Notes:
    """What streams of one file turn up: imports, other remarks and constants to look into."""

    names: NameLists = OWN_LISTS
    imports: dict[tuple[str, str], Import] = field(default_factory=dict)
    remarks: list[tuple[str, int, str]] = field(default_factory=list)  # rule, offset, sentence
    blobs: list[Blob] = field(default_factory=list)

    def remark(self, rule: str, offset: int, sentence: str) -> None:
        """Note something once; a flood of remarks is cut."""
        if len(self.remarks) < _MAX_NOTES and not any(
            (rule, sentence) == (one[0], one[2]) for one in self.remarks
        ):
            self.remarks.append((rule, offset, sentence))

    def add(self, other: Notes) -> None:
        """Take in what another stream turned up."""
        for name, one in other.imports.items():
            known = self.imports.setdefault(name, one)
            if known is not one:
                known.pushes += one.pushes
                known.harmless += one.harmless
                known.misuse = known.misuse or one.misuse
        for rule, offset, sentence in other.remarks:
            self.remark(rule, offset, sentence)
        for blob in other.blobs:
            self.look_into(blob)

    def look_into(self, blob: Blob) -> None:
        """Have a constant examined as a file of its own."""
        if len(self.blobs) < _MAX_BLOBS:
            self.blobs.append(blob)
        else:
            self.remark("pickle-too-complex", blob.offset, "too many constants look like files")


class MachineState:
    """Everything that opcodes read and change."""

    def __init__(self, source: ByteSource, notes: Notes) -> None:
        self.source = source
        self.notes = notes
        self.buffer = b""
        self.base = 0  # offset of buffer[0] in the source
        self.stack: list[Any] = [BOTTOM, BOTTOM, BOTTOM]
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}  # what isn't plain; the rest is known by number alone
        self.dense = 0  # indices 0 .. dense-1 are assigned
        self.sparse: set[int] = set()  # and these, above
        self.budget = _MEMO_BUDGET
        self.lengths = LOOP_LENGTH
        self.exact = 0  # objects under construction whose numbers matter
        self.broken: tuple[int, str] | None = None
        self.protocol = 0
        self.at = 0  # the opcode being done
        self.depth = 0  # streams within streams
        self.gets: Matcher | None = None  # see run_of_gets

    # --- bytes

    def take(self, at: int, count: int) -> bytes:
        """Exactly ``count`` bytes.

        Raises:
            BrokenError: the stream ends before.
        """
        begin = at - self.base
        if begin >= 0 and begin + count <= len(self.buffer):
            return self.buffer[begin : begin + count]
        data = self.source.read_at(at, count)
        if len(data) < count:
            raise BrokenError("it ends in the middle of an argument")
        return data

    def number(self, at: int, width: int) -> int:
        """Little-endian unsigned number."""
        return int.from_bytes(self.take(at, width), "little")

    def line(self, at: int) -> tuple[bytes, int]:
        """The line at ``at`` (its first bytes, where it is long) and the offset after it.

        Raises:
            BrokenError: there is no line feed.
        """
        end = self.buffer.find(b"\n", at - self.base) if at >= self.base else -1
        if end >= 0 and end - (at - self.base) <= TEXT_KEPT:
            return self.buffer[at - self.base : end], self.base + end + 1
        kept, position = b"", at
        while data := self.source.read_at(position, CHUNK):
            end = data.find(b"\n")
            kept += data[: min(TEXT_KEPT - len(kept), end if end >= 0 else len(data))]
            if end >= 0:
                return kept, position + end + 1
            position += len(data)
        raise BrokenError("it ends in the middle of a line")

    # --- stack

    def underflow(self, at: int) -> None:
        """Remember where an unpickler would stop for lack of a value."""
        if self.broken is None:
            self.broken = (at, "an opcode takes a value from an empty stack")

    def pop(self, at: int) -> Any:
        """The top value, off the stack; ``PLAIN`` where there is none."""
        top = self.stack[-1]
        if top is BOTTOM or (self.marks and len(self.stack) <= self.marks[-1]):
            self.underflow(at)
            return PLAIN
        if type(top) is ValueSequence:
            if top.memo is not None:
                self.stack[-1:] = top.values()
                return self.stack.pop()
            top.drop()
            if top.count == 0:
                self.stack.pop()
            return PLAIN
        return self.stack.pop()

    def pop_mark(self, at: int) -> list[Any]:
        """The values above the last mark, off the stack with it."""
        if not self.marks:
            self.underflow(at)
            return []
        start = self.marks.pop()
        items: list[Any] = []
        for item in self.stack[start:]:
            if type(item) is ValueSequence and item.memo is not None:
                items += item.values()
            else:
                items.append(item)
        del self.stack[start:]
        return items

    def top(self, at: int) -> Any:
        """The top value, left where it is."""
        value = self.stack[-1]
        if value is BOTTOM:
            self.underflow(at)
        if type(value) is ValueSequence and value.memo is not None:
            return value.values()[-1]
        return PLAIN if value is BOTTOM or type(value) is ValueSequence else value

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        if type(value) is Import:
            value.pushes += 1
        self.stack.append(value)

    # --- memo

    def store(self, index: int, value: Any, at: int) -> None:
        """Memoise ``value``; what doesn't fit the budget is kept as plain."""
        if index < 0:
            raise BrokenError("a memo index is negative")
        if index > 1 << 26:
            sentence = f"memo index {index} makes the unpickler allocate memory for all below it"
            self.notes.remark("pickle-too-complex", at, sentence)
        if index == self.dense:
            self.dense += 1
            while self.sparse and self.dense in self.sparse:
                self.sparse.remove(self.dense)
                self.dense += 1
        elif index < self.dense:
            self._overwritten()
        elif index > self.dense and index not in self.sparse:
            if len(self.sparse) >= _MAX_SPARSE:
                self.notes.remark("pickle-too-complex", at, "too many memo indices out of order")
                return
            self.sparse.add(index)
        if value is PLAIN or not self._affords(value):
            self.memo.pop(index, None)
        else:
            self.memo[index] = value

    def _overwritten(self) -> None:
        """A memo that changes is no pickler's: no more runs of BINGETs, and those there stay."""
        if self.gets is None:
            return
        kept = dict(self.memo)
        for value in self.stack:
            if type(value) is ValueSequence and value.memo is not None:
                value.memo = kept
        self.gets = _NOTHING

    def run_of_gets(self) -> Matcher:
        """What matches plain values and BINGETs of plain values and texts; for a memo over 255."""
        if self.gets is None:
            known = [
                index for index in range(256)
                if (value := self.memo.get(index, PLAIN)) is PLAIN or type(value) is bytes
            ]  # fmt: skip
            gets = b"h[%b]|" % b"".join(b"\\x%02x" % index for index in known) if known else b""
            self.gets = re.compile(b"(?s:%b%b)*+" % (gets, PLAIN_ONE)).match
        return self.gets

    def _affords(self, value: Any) -> bool:
        if type(value) is bytes:
            if len(value) > NAME_KEPT:
                return False
            self.budget -= len(value) + 150
            return self.budget > 0 or value in self.notes.names.words
        self.budget -= 0 if type(value) is Import else 400
        return self.budget > 0 or type(value) is Import

    def recall(self, index: int) -> Any:
        """The memoised value.

        Raises:
            BrokenError: nothing was memoised there.
        """
        if not 0 <= index < self.dense and index not in self.sparse:
            raise BrokenError(f"memo index {index} was never set")
        return self.memo.get(index, PLAIN)

    # --- imports

    def imported(self, module: str, name: str, at: int) -> Import:
        """The import of that name, noted."""
        known = self.notes.imports.get((module, name))
        if known is None:
            known = Import(module, name, at, self.notes.names.judge_import(module, name))
            room = 2 if known.judgement.kind == "dangerous" else 1
            if len(self.notes.imports) < room * _MAX_IMPORTS:
                self.notes.imports[module, name] = known
            elif known.judgement.kind != "allowed":
                sentence = f"it imports more than {_MAX_IMPORTS} names; not all were judged"
                self.notes.remark("pickle-too-complex", at, sentence)
        known.pushed_at = at
        return known

    # --- modes and limits

    def count_exactly(self, change: int) -> None:
        """Enter (+1) or leave (-1) the mode in which numbers are kept as they are."""
        self.exact = max(0, self.exact + change)
        self.lengths = _EXACT_LENGTH if self.exact else LOOP_LENGTH

    def shrink(self, at: int) -> None:
        """Fold a tall stack, value by value, into counted runs; empty it if that is not enough."""
        if len(self.stack) <= _MAX_STACK and len(self.marks) <= _MAX_STACK:
            if len(self.marks) > 500:
                for value in self.stack:
                    if type(value) is ValueSequence:
                        value.count  # noqa: B018  counting drops the opcodes that it was made from
            return
        folded: list[Any] = []
        marks: list[int] = []
        borders = iter([*self.marks, -1])
        border = next(borders)
        for index, value in enumerate(self.stack):
            while border == index:
                marks.append(len(folded))
                border = next(borders)
            several = 1
            if type(value) is ValueSequence:
                several = value.count
            elif value is not PLAIN and type(value) not in (bytes, int):
                folded.append(value)
                continue
            last = folded[-1]
            if type(last) is ValueSequence and not (marks and marks[-1] == len(folded)):
                folded[-1] = ValueSequence(b"", last.count + several)
            else:
                folded.append(ValueSequence(b"", several))
        marks += [len(folded)] * (len(self.marks) - len(marks))
        if len(folded) > _MAX_STACK // 2 or len(marks) > _MAX_STACK:
            self.notes.remark("pickle-too-complex", at, "its stack grows too tall to follow")
            folded, marks = [BOTTOM, BOTTOM, BOTTOM], []
        self.stack[:] = folded
        self.marks[:] = marks
