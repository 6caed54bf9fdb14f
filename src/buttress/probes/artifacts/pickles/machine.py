"""A symbolic pickle machine: it follows stack and memo, and runs nothing.

The loop handles the opcodes that make up the bulk of real files itself and jumps over their
payloads; all others go to ``operations``. It reads the stream in pieces of 256 KB. Running off the
end of a piece raises ``IndexError``, which costs nothing until it happens.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from buttress.files.byte_source import ByteSource
from buttress.probes.artifacts.pickles import opcodes as op
from buttress.probes.artifacts.pickles.operations import OPERATIONS, StopError
from buttress.probes.artifacts.pickles.state import (
    CHUNK,
    NAME_KEPT,
    BrokenError,
    MachineState,
    Notes,
)
from buttress.probes.artifacts.pickles.values import (
    EMPTY,
    PLAIN,
    SPELLED,
    Dtype,
    Import,
    ValueSequence,
)

_RUN: Final = re.compile(op.PLAIN_RUN).match
_NUMBER: Final = re.compile(
    rb"I[ \t]*[-+]?[0-9]+[ \t\r]*\n|F[-+0-9.eEinfa]+\r?\n|L-?[0-9]+L?\r?\n"
).match
_INDEX: Final = re.compile(rb"[pg]([0-9]{1,9})\n").match
_TEXT_FIRST: Final = frozenset(op.TEXT_FIRST)
_WORD_FIRST: Final = frozenset(op.WORD_FIRST)
_CALLS: Final = frozenset((op.REDUCE, op.NEWOBJ))
_FRAME: Final = op.FRAME
_PROTOCOLS: Final = tuple(bytes([number]) for number in range(op.HIGHEST_PROTOCOL + 1))
_ITEMS: Final = frozenset((op.APPENDS, op.SETITEMS))
_BLOB_FIRST: Final = frozenset(op.BLOB_FIRST)
_SHORT_RUN: Final = 24  # below, single values are cheaper: what follows often takes some of them
_LONG_RUN: Final = 1 << 14
_MARKS: Final = b"(" * _SHORT_RUN


class Followed(NamedTuple):
    """How far a stream went. ``end`` is the offset after STOP, None where it was not reached."""

    end: int | None
    broken: tuple[int, str] | None
    protocol: int


def follow(
    source: ByteSource,
    start: int,
    notes: Notes,
    *,
    depth: int = 0,
    fussy: bool = False,
    piece: int | None = None,
) -> Followed:
    """Follow one pickle stream from ``start`` to its STOP, or to where no unpickler goes on.

    Findings gather in ``notes``, also those before a point where the stream breaks. A value taken
    from an empty stack is noted and passed over, unless ``fussy``. ``piece`` is the size of the
    first read, where the stream is likely to be short.
    """
    state = MachineState(source, notes)
    state.depth = depth
    state.base = start
    state.buffer = source.read_at(start, piece or CHUNK)
    at = start
    if state.buffer[:1] == b"\x80" and state.buffer[1:2] in _PROTOCOLS:
        state.protocol = state.buffer[1]
        at += 2
    while True:
        try:
            at = _run(state, at, fussy)
        except StopError as stop:
            return Followed(stop.end, state.broken, state.protocol)
        except BrokenError as error:
            broken = state.broken or (state.at, str(error))
            return Followed(None, broken, state.protocol)
        if fussy and state.broken:
            return Followed(None, state.broken, state.protocol)
        data = source.read_at(at, CHUNK)
        if len(data) <= max(0, state.base + len(state.buffer) - at):
            return Followed(None, state.broken or (at, "it ends before STOP"), state.protocol)
        state.base, state.buffer = at, data
        state.shrink(at)
        run = _RUN(data)
        plain = state.lengths[op.NONE if data[0] == op.EMPTY_TUPLE else data[0]]
        if plain and run is not None and run.end() > _SHORT_RUN:
            several = ValueSequence(data[: run.end()])
            several.count  # noqa: B018  counting drops the opcodes
            state.stack.append(several)
            at += run.end()
        elif data.startswith(_MARKS):
            marks = len(data) - len(data.lstrip(b"("))
            state.marks += [len(state.stack)] * marks
            at += marks


def _run(state: MachineState, at: int, fussy: bool) -> int:
    """Go on from ``at`` until the piece at hand ends; the offset of the first opcode not done."""
    buffer, base, stack, marks = state.buffer, state.base, state.stack, state.marks
    memo, sparse = state.memo, state.sparse
    dense, budget, lengths = state.dense, state.budget, state.lengths
    append, recall, size = stack.append, memo.get, len(buffer)
    position = at - base
    try:
        while True:
            code = buffer[position]
            if length := lengths[code]:
                append(PLAIN)
                position += length
                continue
            if code == 0x94:  # MEMOIZE
                top = stack[-1]
                if not sparse:
                    if top is PLAIN:
                        dense += 1
                        position += 1
                        continue
                    if type(top) is bytes:
                        if len(top) <= NAME_KEPT and (budget > 0 or top in state.notes.names.words):
                            budget -= len(top) + 150
                            memo[dense] = top
                        dense += 1
                        position += 1
                        continue
                    if type(top) is Import:
                        memo[dense] = top
                        dense += 1
                        position += 1
                        continue
                    if type(top) is tuple and budget > 400:
                        budget -= 400
                        memo[dense] = top
                        dense += 1
                        position += 1
                        continue
            elif code == 0x8C or (
                code == 0x58  # BINUNICODE, as short as nearly all are
                and not (buffer[position + 2] or buffer[position + 3] or buffer[position + 4])
            ):
                begin = position + (2 if code == 0x8C else 5)
                end = begin + buffer[position + 1]
                if end > size:
                    return base + position
                text = buffer[begin:end]
                if (
                    buffer[begin] not in _TEXT_FIRST
                    or not text
                    or (end - begin < SPELLED and buffer[begin] in _WORD_FIRST and 10 not in text)
                ):
                    append(text)
                    position = end
                    continue
            elif code == 0x68:  # BINGET
                index = buffer[position + 1]
                if index < dense:
                    value = recall(index, PLAIN)
                    if type(value) is Import:
                        value.pushes += 1
                        value.pushed_at = base + position
                        if value.shortcut and not sparse and lengths[0x4E]:
                            state.dense, state.at = dense, base + position
                            if after := value.shortcut(state, state.at):
                                position, dense = after - base, state.dense
                                continue
                    append(value)
                    position += 2
                    continue
            elif code == 0x29 and lengths[0x4E]:  # EMPTY_TUPLE; a frame may begin after it
                following = buffer[position + 1]
                if following == _FRAME:
                    following = buffer[position + 10]
                append(EMPTY if following in _CALLS else PLAIN)
                position += 1
                continue
            elif code == 0x28:  # MARK
                marks.append(len(stack))
                position += 1
                if lengths[buffer[position]]:
                    end = _RUN(buffer, position).end()  # type: ignore[union-attr]
                    if end - position > _SHORT_RUN:
                        several = ValueSequence(buffer[position:end])
                        if end - position > _LONG_RUN:
                            several.count  # noqa: B018  counting drops the opcodes
                        append(several)
                        position = end
                elif buffer[position] == 0x68 and dense > 255 and not sparse and lengths[0x4E]:
                    end = state.run_of_gets()(buffer, position).end()  # type: ignore[union-attr]
                    if _SHORT_RUN < end - position < _LONG_RUN:
                        append(ValueSequence(buffer[position:end], 0, memo))
                        position = end
                continue
            elif code in _ITEMS:  # APPENDS, SETITEMS
                if marks and stack[marks[-1] - 1] is PLAIN:
                    del stack[marks.pop() :]
                    position += 1
                    continue
            elif code == 0x71:  # BINPUT
                if buffer[position + 1] == dense and not sparse and stack[-1] is PLAIN:
                    dense += 1
                    position += 2
                    continue
            elif code == 0x72:  # LONG_BINPUT
                index = (
                    buffer[position + 1]
                    | buffer[position + 2] << 8
                    | buffer[position + 3] << 16
                    | buffer[position + 4] << 24
                )
                if index == dense and not sparse:
                    top = stack[-1]
                    if top is PLAIN:
                        dense += 1
                        position += 5
                        continue
                    if type(top) is bytes and len(top) <= NAME_KEPT and budget > 0:
                        budget -= len(top) + 150
                        memo[dense] = top
                        dense += 1
                        position += 5
                        continue
            elif code == 0x6A:  # LONG_BINGET
                index = (
                    buffer[position + 1]
                    | buffer[position + 2] << 8
                    | buffer[position + 3] << 16
                    | buffer[position + 4] << 24
                )
                if index < dense:
                    value = recall(index, PLAIN)
                    if type(value) is Import:
                        value.pushes += 1
                        value.pushed_at = base + position
                    append(value)
                    position += 5
                    continue
            elif code == 0x62:  # BUILD
                if stack[-2] is PLAIN and type(stack[-1]) is not ValueSequence:
                    del stack[-1]
                    position += 1
                    continue
            elif code in _CALLS:  # REDUCE, NEWOBJ
                what, given = stack[-2], stack[-1]
                if (
                    type(what) is Import
                    and what.gives_plain
                    and (
                        given is PLAIN or given is EMPTY
                        if what.any_arguments
                        else given is EMPTY and code == 0x81
                    )
                ):
                    del stack[-1]
                    stack[-1] = PLAIN
                    position += 1
                    continue
            elif code == 0x74:  # TUPLE
                if marks and lengths[0x4E] and len(stack) > marks[-1]:
                    for part in stack[marks[-1] :]:
                        kind = type(part)
                        if (
                            part is not PLAIN
                            and kind is not Dtype
                            and (kind is not ValueSequence or part.memo is not None)
                        ):
                            break
                    else:
                        del stack[marks.pop() :]
                        append(PLAIN)
                        position += 1
                        continue
            elif 0x85 <= code <= 0x87 and lengths[0x4E]:  # TUPLE1 to TUPLE3
                count = code - 0x84
                texts, simple = False, True
                for part in stack[-count:]:
                    if part is not PLAIN:
                        texts = True
                        if type(part) is not bytes:
                            simple = False
                if simple:
                    position += 1
                    if texts:
                        stack[-count:] = [tuple(stack[-count:])]
                        if buffer[position] == 0x94 and not sparse:  # remembered as plain
                            dense += 1
                            position += 1
                    elif count > 1:
                        del stack[1 - count :]
                    continue
            elif code == 0x43:  # SHORT_BINBYTES
                if buffer[position + 2] not in _BLOB_FIRST and buffer[position + 1]:
                    append(PLAIN)
                    position += 2 + buffer[position + 1]
                    continue
            elif code == 0x42:  # BINBYTES
                length = (
                    buffer[position + 1]
                    | buffer[position + 2] << 8
                    | buffer[position + 3] << 16
                    | buffer[position + 4] << 24
                )
                if buffer[position + 5] not in _BLOB_FIRST and length:
                    append(PLAIN)
                    position += 5 + length
                    continue
            elif code == 0x95:  # FRAME
                if position + 9 <= size:
                    position += 9
                    continue
            elif code == 0x61:  # APPEND
                if stack[-2] is PLAIN and (stack[-1] is PLAIN or type(stack[-1]) is bytes):
                    del stack[-1]
                    position += 1
                    continue
            elif code == 0x73:  # SETITEM
                if (
                    stack[-3] is PLAIN
                    and (stack[-1] is PLAIN or type(stack[-1]) is bytes)
                    and (stack[-2] is PLAIN or type(stack[-2]) is bytes)
                ):
                    del stack[-2:]
                    position += 1
                    continue
            elif code in b"IFL":
                if lengths[0x4E] and (number := _NUMBER(buffer, position)):
                    append(PLAIN)
                    position = number.end()
                    continue
            elif code == 0x70:  # PUT
                line = _INDEX(buffer, position)
                if line and int(line[1]) == dense and not sparse:
                    top = stack[-1]
                    if top is PLAIN:
                        dense += 1
                        position = line.end()
                        continue
                    if type(top) is bytes and len(top) <= NAME_KEPT and budget > 0:
                        budget -= len(top) + 150
                        memo[dense] = top
                        dense += 1
                        position = line.end()
                        continue
            elif code == 0x67:  # GET
                line = _INDEX(buffer, position)
                if line and (index := int(line[1])) < dense:
                    value = recall(index, PLAIN)
                    if type(value) is Import:
                        value.pushes += 1
                        value.pushed_at = base + position
                    append(value)
                    position = line.end()
                    continue
            elif code == 0x56:  # UNICODE
                end = buffer.find(b"\n", position)
                if position < end < position + NAME_KEPT:
                    text = buffer[position + 1 : end]
                    if b"\\" not in text and b"\x80" not in text and text[:1] not in b"g8":
                        append(text)
                        position = end + 1
                        continue
            state.dense, state.budget, state.at = dense, budget, base + position
            position = OPERATIONS[code](state, base + position) - base
            dense, budget, lengths = state.dense, state.budget, state.lengths
            if fussy and state.broken:
                return base + position
    except IndexError:
        return base + position
    finally:
        state.dense, state.budget = dense, budget
