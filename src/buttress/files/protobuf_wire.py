"""Protocol buffers on the wire, without a schema (protobuf.dev, "Encoding").

Payloads are jumped over unless asked for, so that a model of gigabytes costs what its structure
costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from buttress.files.byte_source import ByteSource

VARINT: Final = 0
FIXED64: Final = 1
LEN: Final = 2
FIXED32: Final = 5
_FIXED: Final = {FIXED64: 8, FIXED32: 4}  # bytes
_GROUPS: Final = (3, 4)  # deprecated; their tags carry nothing
_PIECE: Final = 16 << 10
_HEADER: Final = 20  # two varints
_MAX_FIELDS: Final = 3_000_000  # of one file
_MAX_TEXT: Final = 1 << 16
_HIGHEST: Final = (1 << 29) - 1


class WireError(Exception):
    """The bytes are no message, or more than is read; carries the offset."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


class TooManyFieldsError(WireError):
    """More fields than are read."""


class WireField(NamedTuple):
    """One field. ``value``: the number, or the length of what lies at ``start``."""

    number: int
    wire: int
    start: int
    value: int

    @property
    def end(self) -> int:
        """Offset after a payload."""
        return self.start + self.value

    @property
    def following(self) -> int:
        """Offset after the field, whatever its type."""
        return self.start + _FIXED.get(self.wire, self.value if self.wire == LEN else 0)


class Wire:
    """A source read as messages."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self._buffer = b""
        self._base = 0
        self._left = _MAX_FIELDS

    def fields(self, start: int, end: int) -> Iterator[WireField]:
        """Fields of the message in ``start`` to ``end``.

        Raises:
            WireError: a field is cut short, runs over the end, or there are too many.
        """
        at = start
        while at < end:
            begin = at - self._base
            if begin < 0 or begin + _HEADER > len(self._buffer):
                self._buffer, self._base, begin = self.source.read_at(at, _PIECE), at, 0
            tag, begin = self._varint(begin)
            number, wire = tag >> 3, tag & 7
            if not 1 <= number <= _HIGHEST:
                raise WireError(at, f"field number {number} does not exist")
            self._left -= 1
            if self._left < 0:
                raise TooManyFieldsError(at, f"it has more than {_MAX_FIELDS} fields")
            value = 0
            if wire in (VARINT, LEN):
                value, begin = self._varint(begin)
            if wire > FIXED32:
                raise WireError(at, f"wire type {wire} does not exist")
            field = WireField(number, wire, self._base + begin, value)
            following = field.following
            if following > end:
                raise WireError(
                    at, f"field {number} ends at {following}, beyond the message's end at {end}"
                )
            yield field
            at = following

    def _varint(self, begin: int) -> tuple[int, int]:
        value, shift, buffer = 0, 0, self._buffer
        while begin < len(buffer) and shift < 70:
            byte = buffer[begin]
            begin += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, begin
            shift += 7
        raise WireError(self._base + begin, "a number is cut short or too long")

    def data(self, field: WireField, most: int = _MAX_TEXT) -> bytes:
        """Payload of a field, cut to ``most`` bytes."""
        return self.source.read_at(field.start, min(field.value, most))

    def text(self, field: WireField) -> str:
        """Payload as text, cut to 64 KB."""
        begin = field.start - self._base
        if begin >= 0 and begin + field.value <= len(self._buffer):
            raw = self._buffer[begin : begin + field.value]
        else:
            raw = self.data(field)
        return raw.decode("utf-8", "backslashreplace")

    def packed(self, field: WireField) -> list[int]:
        """Numbers of a repeated field, packed or not, as far as 64 KB hold them."""
        if field.wire != LEN:
            return [field.value]
        raw, values, value, shift = self.data(field), [], 0, 0
        for byte in raw:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                values.append(value & 0xFFFFFFFFFFFFFFFF)
                value, shift = 0, 0
            elif shift > 70:
                break
        return values
