"""The literals of a list or map that belongs to one name, as ``API_KEYS = […]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.rules.credentials.candidate import Span

MAX_BYTES: Final = 256 << 10  # of one list; the rest of a longer one is not looked at
_STRING: Final = re.compile(
    rb"""[brfu]{0,2}(?:"([^"\\\n]{8,500})"|'([^'\\\n]{8,500})'|`([^`\\\n]{8,500})`)"""
)
_BARE: Final = re.compile(rb"[\[,]\s*([^\s\"'`\[\]{},#&*!|>]{8,500})\s*(?=[,\]])")
_SEPARATED: Final = re.compile(rb"[^,;|\s]+")
_SIGNS: Final = re.compile(rb"[\[\]{}()\"'`#]")
_ITEM: Final = re.compile(
    rb"^[ \t]*(?:-[ \t]+)*(?:[\w.\"'-]{1,80}[ \t]*:[ \t]+)?[\"']?"
    rb"([^\s\"'#{}\[\]&*!|>$]{8,500})[\"']?[ \t]*(?:#.*)?\r?$"
)
_ENTRY: Final = re.compile(
    rb"^[ \t]*[\w.\"'-]{1,80}[ \t]*[=:][ \t]*[\"']?([^\s\"'#{}\[\]&*!|>$]{8,500})[\"']?"
    rb"[ \t]*(?:#.*)?\r?$"
)
_QUOTE: Final = ord('"')
_OPENING: Final = {b"[": b"]", b"{": b"}", b"(": b")"}


def items(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Where the values lie of what begins at ``data[start:end]``: a bracket, or a line's end.

    Keys of maps are no values. Of YAML blocks, all lines that are indented deeper than the name,
    or are items at its own depth.
    """
    bracket = data[end - 1 : end]
    if bracket in _OPENING:
        yield from _bracketed(data, end - 1)
    else:
        yield from _block(data, start, end)


def separated(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Where the values lie of a text that separates them by commas, semicolons or bars."""
    for match in _SEPARATED.finditer(data, start, end):
        yield match.span()


def table(data: bytes, end: int) -> Iterator[Span]:
    """Where the values lie of the lines ``name = value`` below a heading in brackets."""
    stop = min(len(data), end + MAX_BYTES)
    place = data.find(b"\n", end, stop) + 1
    while 0 < place < stop:
        newline = data.find(b"\n", place, stop)
        line = data[place : newline if newline >= 0 else stop]
        if line.lstrip().startswith(b"["):
            return
        if match := _ENTRY.match(line):
            yield place + match.start(1), place + match.end(1)
        if newline < 0:
            return
        place = newline + 1


def column(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Where the values lie below the heading ``data[start:end]`` of a table (CSV, TSV)."""
    line = data.find(b"\n", end)
    if line < 0:
        return
    head = data[:line]
    separator = max((b",", b";", b"\t"), key=head.count)
    number = len(_cells(head[:start], separator)) - 1
    place, stop = line + 1, min(len(data), line + MAX_BYTES)
    while place < stop:
        newline = data.find(b"\n", place, stop)
        row = data[place : newline if newline >= 0 else stop]
        cells = _cells(row, separator)
        if number < len(cells):
            low, high = cells[number]
            text = row[low:high]
            left = len(text) - len(text.lstrip(b" \"'"))
            right = len(text.rstrip(b" \"'\r"))
            if left < right:
                yield place + low + left, place + low + right
        if newline < 0:
            return
        place = newline + 1


def _cells(row: bytes, separator: bytes) -> list[Span]:
    """Where the cells of a line lie, which separators outside of quotes part."""
    cuts, quoted = [-1], False
    for place, sign in enumerate(row):
        if sign == _QUOTE:
            quoted = not quoted
        elif sign == separator[0] and not quoted:
            cuts.append(place)
    return [(low + 1, high) for low, high in zip(cuts, [*cuts[1:], len(row)], strict=True)]


def _bracketed(data: bytes, start: int) -> Iterator[Span]:
    stop = min(len(data), start + MAX_BYTES)
    end = _closing(data, start, stop)
    for match in _STRING.finditer(data, start, end):
        group = match.lastindex or 1
        after = data[match.end() : match.end() + 8].lstrip()
        if not after.startswith((b":", b"=>")):
            yield match.span(group)
    for match in _BARE.finditer(data, start, end + 1):
        yield match.span(1)


def _closing(data: bytes, start: int, stop: int) -> int:
    depth, place = 0, start
    while match := _SIGNS.search(data, place, stop):
        sign, place = match[0], match.end()
        if sign in b"[{(":
            depth += 1
        elif sign in b"]})":
            depth -= 1
            if depth == 0:
                return match.start()
        elif sign == b"#":
            line = data.find(b"\n", place, stop)
            place = line if line >= 0 else stop
        else:
            other = data.find(sign, place, stop)
            line = data.find(b"\n", place, stop)
            if other >= 0 and (line < 0 or other < line):
                place = other + 1
    return stop


def _block(data: bytes, start: int, end: int) -> Iterator[Span]:
    first = data.rfind(b"\n", 0, start) + 1
    own = len(data[first:start]) - len(data[first:start].lstrip(b" \t-"))
    place, stop = end, min(len(data), end + MAX_BYTES)
    while place < stop:
        newline = data.find(b"\n", place, stop)
        line = data[place : newline if newline >= 0 else stop]
        stripped = line.strip()
        indent = len(line) - len(line.lstrip(b" \t"))
        inside = indent > own or (indent == own and stripped.startswith(b"-"))
        if stripped and not stripped.startswith(b"#") and not inside:
            return
        if match := _ITEM.match(line):
            yield place + match.start(1), place + match.end(1)
        if newline < 0:
            return
        place = newline + 1
