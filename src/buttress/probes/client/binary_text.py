"""Readable text in programs and other binary files: where their strings lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import re2


def _bytes() -> Any:
    """RE2 options for patterns over raw bytes."""
    chosen = re2.Options()
    chosen.encoding = re2.Options.Encoding.LATIN1
    return chosen


# At least eight characters: ASCII, or UTF-8 of more bytes; and ASCII in UTF-16.
_STRINGS: Final = re2.compile(rb"(?:[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3}){8,}", _bytes())
_WIDE: Final = re2.compile(rb"(?:[\x20-\x7e]\x00){8,}", _bytes())
_MAX_STRINGS: Final = 400_000  # of one piece


@dataclass(frozen=True, slots=True)
class BinaryText:
    """The strings of a piece, a line for each, and where each lies in the file."""

    data: bytes
    offsets: tuple[int, ...]

    def offset(self, line: int) -> int:
        """Offset in the file of the string on a line, which counts from 1."""
        return self.offsets[min(max(line, 1), len(self.offsets)) - 1]


def binary_text(piece: bytes, start: int) -> BinaryText:
    """The strings of a piece that begins at ``start`` of its file."""
    found: list[tuple[int, bytes]] = []
    for match in _STRINGS.finditer(piece):
        found.append((start + match.start(), match.group()))
        if len(found) >= _MAX_STRINGS:
            break
    for match in _WIDE.finditer(piece):
        found.append((start + match.start(), match.group()[::2]))
        if len(found) >= 2 * _MAX_STRINGS:
            break
    return one_a_line(sorted(found))


def one_a_line(strings: Iterable[tuple[int, bytes]]) -> BinaryText:
    """Strings, each with its offset, as a text with a line for each."""
    found = [(place, text.replace(b"\n", b" ").replace(b"\r", b" ")) for place, text in strings]
    return BinaryText(b"\n".join(text for _, text in found), tuple(place for place, _ in found))
