"""Dalvik executables: their strings, and the calls that are given a constant text.

The format is that of Android's documentation ("Dalvik executable format" and "Dalvik bytecode").
Checksums are not verified, and a damaged file gives fewer strings.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAGIC: Final = b"dex\n"
MAX_BYTES: Final = 24 << 20  # a file of 65,536 methods has about 12 MB
_HEADER: Final = 112
_MAX_STRINGS: Final = 1_000_000
_MAX_TEXT: Final = 4_096  # bytes of a text that is followed, and of a name
_MAX_STEPS: Final = 80  # instructions that a text is followed
_MAX_STARTS: Final = 20_000  # places where one is loaded
_ROUNDS: Final = 3  # fields that are set from fields that are set from a constant

_CONST_STRING: Final = 0x1A
_CONST_STRING_JUMBO: Final = 0x1B
_IGET_OBJECT: Final = 0x54
_IPUT_OBJECT: Final = 0x5B
_SGET_OBJECT: Final = 0x62
_SPUT_OBJECT: Final = 0x69
_MOVE_OBJECT: Final = {0x07: 12, 0x08: 22, 0x09: 32}  # opcode -> format
_MOVE_RESULT_OBJECT: Final = 0x0C
_NO_LENGTH: Final = 1
# Length of an instruction in units of 16 bits: first and last opcode, length.
_LENGTHS: Final = (
    (0x02, 0x02, 2), (0x03, 0x03, 3), (0x05, 0x05, 2), (0x06, 0x06, 3), (0x08, 0x08, 2),
    (0x09, 0x09, 3), (0x13, 0x13, 2), (0x14, 0x14, 3), (0x15, 0x16, 2), (0x17, 0x17, 3),
    (0x18, 0x18, 5), (0x19, 0x1A, 2), (0x1B, 0x1B, 3), (0x1C, 0x1C, 2), (0x1F, 0x20, 2),
    (0x22, 0x23, 2), (0x24, 0x26, 3), (0x29, 0x29, 2), (0x2A, 0x2C, 3), (0x2D, 0x3D, 2),
    (0x44, 0x6D, 2), (0x6E, 0x72, 3), (0x74, 0x78, 3), (0x90, 0xAF, 2), (0xD0, 0xE2, 2),
    (0xFA, 0xFB, 4), (0xFC, 0xFD, 3), (0xFE, 0xFF, 2),
)  # fmt: skip
# Opcodes that write a register of 8 bits, and those that write one of 4.
_WRITES_8: Final = (
    (0x02, 0x02), (0x05, 0x05), (0x0A, 0x0D), (0x13, 0x1C), (0x22, 0x22), (0x2D, 0x31),
    (0x44, 0x4A), (0x60, 0x66), (0x90, 0xAF), (0xD8, 0xE2),
)  # fmt: skip
_WRITES_4: Final = (
    (0x01, 0x01), (0x04, 0x04), (0x12, 0x12), (0x20, 0x21), (0x23, 0x23), (0x52, 0x58),
    (0x7B, 0x8F), (0xB0, 0xCF), (0xD0, 0xD7),
)  # fmt: skip
_ENDS: Final = frozenset((*range(0x0E, 0x12), *range(0x27, 0x2B)))  # return, throw, goto
_INVOKE: Final = range(0x6E, 0x73)
_INVOKE_RANGE: Final = range(0x74, 0x79)
_BUILDERS: Final = ("java.lang.String.", "java.lang.StringBuilder.", "java.lang.StringBuffer.")


def _table(rows: tuple[tuple[int, int], ...]) -> frozenset[int]:
    return frozenset(code for first, last in rows for code in range(first, last + 1))


_LENGTH: Final = bytes(
    next((size for first, last, size in _LENGTHS if first <= code <= last), _NO_LENGTH)
    for code in range(256)
)
_TO_8: Final = _table(_WRITES_8)
_TO_4: Final = _table(_WRITES_4)


class DexError(ValueError):
    """It is no Dalvik executable; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class DexCall:
    """A call of a method, such as ``java.net.URL.<init>``, with a constant text.

    ``offset`` is that of the instruction in the file. The text may be joined with others before.
    """

    offset: int
    method: str
    text: str


class Dex:
    """A Dalvik executable.

    Args:
        data: the whole file.

    Raises:
        DexError: it is none.
    """

    def __init__(self, data: bytes) -> None:
        if not data.startswith(MAGIC) or len(data) < _HEADER:
            raise DexError("it is no Dalvik executable")
        self._data = data
        counts = struct.unpack_from("<10I", data, 56)
        self._strings = counts[1], min(counts[0], _MAX_STRINGS)
        self._types, self._methods = counts[3], counts[9]
        self._type_count, self._method_count = counts[2], counts[8]
        self._names: dict[int, str] = {}

    def strings(self) -> Iterator[tuple[int, int, bytes]]:
        """Number, offset and bytes (modified UTF-8) of every string.

        Raises:
            DexError: they overlap, which no compiler does.
        """
        start, count = self._strings
        left = len(self._data)
        for index in range(count):
            found = self._string(start + 4 * index)
            if found is not None:
                left -= len(found[1])
                if left < 0:
                    raise DexError("its strings overlap")
                yield index, *found

    def _string(self, at: int, limit: int = MAX_BYTES) -> tuple[int, bytes] | None:
        data = self._data
        if at + 4 > len(data):
            return None
        (place,) = struct.unpack_from("<I", data, at)
        end = place + 5  # the length, in UTF-16 units, as ULEB128
        while place < min(end, len(data)) and data[place] & 0x80:
            place += 1
        place += 1
        stop = data.find(b"\0", place, place + limit)
        return (place, data[place:stop]) if 0 < place <= stop else None

    def calls(self, pattern: re.Pattern[bytes]) -> list[DexCall]:
        """Calls of methods with a constant text that the pattern finds.

        A text is followed through moves, through what joins texts, and through fields, along the
        instructions after the one that loads it. Branches are not followed.

        Raises:
            DexError: strings overlap.
        """
        texts = {
            number: text.decode("utf-8", "replace")
            for number, _, text in self.strings()
            if len(text) <= _MAX_TEXT and pattern.search(text)
        }
        found: set[DexCall] = set()
        starts = self._loads(_CONST_STRING, texts) + self._loads(_CONST_STRING_JUMBO, texts)
        known: set[tuple[int, str]] = set()
        for _ in range(_ROUNDS):
            fields: dict[int, str] = {}
            for at, register, text in starts[:_MAX_STARTS]:
                calls, stored = self._followed(at, register, text)
                found.update(calls)
                fields.update((f, text) for f in stored if (f, text) not in known)
            known.update(fields.items())
            starts = self._loads(_SGET_OBJECT, fields) + self._loads(_IGET_OBJECT, fields)
        return sorted(found, key=lambda one: (one.offset, one.text))

    def _loads(self, code: int, values: dict[int, str]) -> list[tuple[int, int, str]]:
        """Where the instruction loads one of the numbered values: offset, register, text."""
        data, wide = self._data, 4 if code == _CONST_STRING_JUMBO else 2
        found = []
        at = data.find(code) if values else -1
        while 0 <= at <= len(data) - 2 - wide:
            if not at & 1:
                number = int.from_bytes(data[at + 2 : at + 2 + wide], "little")
                if number in values:
                    register = data[at + 1] & (0x0F if code == _IGET_OBJECT else 0xFF)
                    found.append((at, register, values[number]))
            at = data.find(code, at + 1)
        return found

    def _followed(self, at: int, register: int, text: str) -> tuple[list[DexCall], set[int]]:
        """Calls with the text in a register that the instruction loads, and fields it is put in."""
        data, calls, fields = self._data, [], set()
        holding, joined = {register}, False
        at += 2 * _LENGTH[data[at]]
        for _ in range(_MAX_STEPS):
            if at + 6 > len(data) or data[at] in _ENDS or not holding:
                break
            code, high = data[at], data[at + 1]
            word = int.from_bytes(data[at + 2 : at + 4], "little")
            if code in _INVOKE or code in _INVOKE_RANGE:
                arguments = self._arguments(at)
                joined = bool(holding.intersection(arguments))
                if joined:
                    method = self._method(word)
                    joined = method.startswith(_BUILDERS)
                    if joined:
                        holding.add(arguments[0])
                    elif method:
                        calls.append(DexCall(at, method, text))
            elif code in (_IPUT_OBJECT, _SPUT_OBJECT):
                if (high & 0x0F if code == _IPUT_OBJECT else high) in holding:
                    fields.add(word)
            elif code in _MOVE_OBJECT:
                target, origin = self._moved(at)
                (holding.add if origin in holding else holding.discard)(target)
            elif code == _MOVE_RESULT_OBJECT and joined:
                holding.add(high)
            elif code in _TO_8:
                holding.discard(high)
            elif code in _TO_4:
                holding.discard(high & 0x0F)
            at += 2 * _LENGTH[code]
        return calls, fields

    def _arguments(self, at: int) -> list[int]:
        """The registers of a call."""
        data = self._data
        first = int.from_bytes(data[at + 4 : at + 6], "little")
        if data[at] in _INVOKE_RANGE:
            return list(range(first, first + data[at + 1])) or [-1]
        registers = [first >> shift & 0x0F for shift in (0, 4, 8, 12)] + [data[at + 1] & 0x0F]
        return registers[: data[at + 1] >> 4] or [-1]

    def _moved(self, at: int) -> tuple[int, int]:
        """Target and origin of a move."""
        data = self._data
        if _MOVE_OBJECT[data[at]] == 12:
            return data[at + 1] & 0x0F, data[at + 1] >> 4
        if _MOVE_OBJECT[data[at]] == 22:
            return data[at + 1], int.from_bytes(data[at + 2 : at + 4], "little")
        return struct.unpack_from("<HH", data, at + 2)

    def _method(self, number: int) -> str:
        """The name of a method with that of its class; "" where there is none."""
        if number not in self._names:
            self._names[number] = self._read_method(number)
        return self._names[number]

    def _read_method(self, number: int) -> str:
        at = self._methods + 8 * number
        if number >= self._method_count or at + 8 > len(self._data):
            return ""
        owner, _, name = struct.unpack_from("<HHI", self._data, at)
        at = self._types + 4 * owner
        if owner >= self._type_count or at + 4 > len(self._data):
            return ""
        (descriptor,) = struct.unpack_from("<I", self._data, at)
        start, count = self._strings
        if max(descriptor, name) >= count:
            return ""
        of_class = self._string(start + 4 * descriptor, _MAX_TEXT)
        of_method = self._string(start + 4 * name, _MAX_TEXT)
        if of_class is None or of_method is None:
            return ""
        written = of_class[1][1:-1].replace(b"/", b".") + b"." + of_method[1]
        return written.decode("utf-8", "replace")
