"""Text of unknown origin, made safe for a terminal and cut into pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from rich.cells import get_character_cell_size

_UNSAFE: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def escaped(text: str) -> str:
    """The text with control, format and unassigned characters as escapes; line ends stay.

    An answer may hold terminal escapes that hide or rewrite what the labeller sees, invisible
    characters, or marks that reverse the reading direction.
    """
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return "".join(
        character
        if character == "\n" or unicodedata.category(character) not in _UNSAFE
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def pages(text: str, width: int, height: int) -> list[list[str]]:
    """Lines of an escaped text, of at most ``width`` cells, ``height`` a page; at least a page."""
    lines = [piece for line in text.split("\n") for piece in _wrapped(line, max(2, width))]
    height = max(1, height)
    return [lines[start : start + height] for start in range(0, len(lines), height)]


def _wrapped(line: str, width: int) -> Iterator[str]:
    """Cut at spaces where there are any in the second half, else anywhere."""
    while True:
        cells = end = 0
        for character in line:
            cells += get_character_cell_size(character)
            if cells > width:
                break
            end += 1
        if end == len(line):
            yield line
            return
        space = line.rfind(" ", end // 2, end + 1)
        cut = space if space > 0 else end
        yield line[:cut]
        line = line[cut + 1 :] if space > 0 else line[cut:]
