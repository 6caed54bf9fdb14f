"""Opcodes that push a constant: numbers, text and bytes in their many spellings."""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Callable
from typing import Any, Final

from buttress.probes.artifacts.pickles import opcodes as op
from buttress.probes.artifacts.pickles.state import TEXT_KEPT, BrokenError, MachineState
from buttress.probes.artifacts.pickles.values import (
    HEAD_KEPT,
    PLAIN,
    Blob,
    LongText,
    like_a_file,
    spelling,
)

Operation = Callable[
    [MachineState, int], int
]  # given the opcode's offset, the offset of the next one

INTEGER: Final = re.compile(rb"\s*[-+]?[0-9](_?[0-9])*\s*\Z")
_FLOAT: Final = re.compile(
    rb"\s*[-+]?(nan|inf(inity)?|[0-9._]+(e[-+]?[0-9]+)?)\s*\Z", re.IGNORECASE
)


def push_plain(state: MachineState, at: int) -> int:
    """An opcode that the loop does, when numbers must be kept."""
    code = state.take(at, 1)[0]
    value: Any = PLAIN
    if code == op.EMPTY_TUPLE:
        value = ()
    elif code == op.EMPTY_DICT:
        value = {}
    elif code in (op.BININT1, op.BININT2):
        value = state.number(at + 1, 1 if code == op.BININT1 else 2)
    elif code == op.BININT:
        value = int.from_bytes(state.take(at + 1, 4), "little", signed=True)
    state.push(value)
    return at + op.PLAIN_LENGTH[code]


def push_number_line(state: MachineState, at: int) -> int:
    """INT, LONG and FLOAT: a number on a line of text."""
    code = state.take(at, 1)[0]
    line, end = state.line(at + 1)
    digits = line.removesuffix(b"L") if code == op.LONG else line
    if not (_FLOAT if code == op.FLOAT else INTEGER).match(digits):
        raise BrokenError("a number is not spelled as one")
    state.push(int(digits) if state.exact and code != op.FLOAT and len(digits) < 20 else PLAIN)
    return end


def push_long(width: int) -> Operation:
    """LONG1 and LONG4."""

    def operation(state: MachineState, at: int) -> int:
        length = state.number(at + 1, width)
        if width == 4 and length >= 1 << 31:
            raise BrokenError("a length is negative")
        begin = at + 1 + width
        if state.exact and length <= 8:
            state.push(int.from_bytes(state.take(begin, length), "little", signed=True))
        else:
            state.push(PLAIN)
        return begin + length

    return operation


def push_text(width: int) -> Operation:
    """Text of protocol 1 and later; long text that may be a file's bytes is kept as such."""

    def operation(state: MachineState, at: int) -> int:
        length = state.number(at + 1, width)
        begin = at + 1 + width
        data = state.take(begin, min(length, TEXT_KEPT))
        hidden = like_a_file(data[:HEAD_KEPT].replace(b"\xc2\x80", b"\x80", 1))
        if not hidden and (spelled := spelling(data[:HEAD_KEPT])):
            state.notes.look_into(Blob(begin, length, spelled))
        state.push(LongText(Blob(begin, length, "utf-8")) if hidden else data)
        return begin + length

    return operation


def push_bytes(width: int) -> Operation:
    """Bytes and bytearrays; those that begin like a file are to be looked into."""

    def operation(state: MachineState, at: int) -> int:
        length = state.number(at + 1, width)
        begin = at + 1 + width
        head = state.take(begin, min(length, HEAD_KEPT))
        if like_a_file(head):
            blob = Blob(begin, length)
            state.notes.look_into(blob)
            state.push(blob)
        else:
            if spelled := spelling(head):
                state.notes.look_into(Blob(begin, length, spelled))
            state.push(PLAIN)
        return begin + length

    return operation


def push_python2_string(width: int) -> Operation:
    """BINSTRING and SHORT_BINSTRING: text, or the bytes of Python 2."""

    def operation(state: MachineState, at: int) -> int:
        length = state.number(at + 1, width)
        if width == 4 and length >= 1 << 31:
            raise BrokenError("a length is negative")
        begin = at + 1 + width
        data = state.take(begin, min(length, TEXT_KEPT))
        if like_a_file(data[:HEAD_KEPT]):
            blob = Blob(begin, length)
            state.notes.look_into(blob)
            state.push(blob)
        else:
            state.push(data)
        return begin + length

    return operation


def push_string_line(state: MachineState, at: int) -> int:
    """STRING: a quoted and escaped line."""
    line, end = state.line(at + 1)
    quoted = line.strip()
    if len(quoted) < 2 or quoted[0] not in b"'\"":
        raise BrokenError("a string is not quoted")
    state.push(_unescaped(quoted[1:-1]))
    return end


def _unescaped(text: bytes) -> bytes:
    """``text`` with its escapes resolved; as it is where one of them is cut or odd."""
    if b"\\" not in text:
        return text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an unknown escape is a matter of the file, not of ours
        try:
            return bytes(codecs.escape_decode(text)[0])
        except ValueError:
            return text


def push_unicode_line(state: MachineState, at: int) -> int:
    """UNICODE: a line in raw-unicode-escape."""
    line, end = state.line(at + 1)
    if spelled := spelling(line[:HEAD_KEPT]):
        state.notes.look_into(Blob(at + 1, end - at - 2, spelled))
    elif like_a_file(line[:HEAD_KEPT].replace(b"\\u000a", b"\n")):
        state.push(LongText(Blob(at + 1, end - at - 2, "raw-unicode-escape")))
        return end
    if b"\\" in line:
        line = line.decode("raw-unicode-escape", "replace").encode("utf-8", "surrogatepass")
    state.push(line)
    return end
