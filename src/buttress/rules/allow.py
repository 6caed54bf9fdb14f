"""Comments that allow a finding: ``buttress: allow RULE[,RULE…] reason``, in every probe.

A comment counts on the line of the finding, on any line of the statement that it is in where the
probe knows statements, and alone on the line before. Without a reason it has no effect.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_COMMENT: Final = re.compile(
    rb"buttress:[ \t]{0,8}allow[ \t]{1,8}"
    rb"([a-z0-9-]{1,60}(?:,[ \t]{0,4}[a-z0-9-]{1,60}){0,20})"
    rb"(?:[ \t:,;(-]{1,8}([^\r\n\"]{0,200}))?"
)
_CLOSING: Final = b" \t)*-/>#\\n"
_REACH: Final = 1_000  # bytes of a line that are searched on either side
_WIDTH: Final = 2_000  # characters of a line of a statement that are searched
_LINES: Final = 30  # lines of a statement that are searched
_LEAST: Final = 3  # characters of a reason


@dataclass(frozen=True, slots=True)
class AllowComment:
    """A comment that allows a finding; without a reason it has no effect."""

    reason: str

    @property
    def valid(self) -> bool:
        """Whether a reason is given."""
        return len(self.reason) >= _LEAST


def allowance(data: bytes, start: int, names: Collection[str]) -> AllowComment | None:
    """The comment for what begins at ``start``: on the same line, or alone on the line before.

    Args:
        data: the whole text.
        start: offset of the finding.
        names: words by which it may be allowed, e.g. its rule's id.
    """
    low = max(data.rfind(b"\n", 0, start) + 1, start - _REACH)
    high = data.find(b"\n", start, start + _REACH)
    line = data[low : high if high >= 0 else start + _REACH]
    before = data[max(data.rfind(b"\n", 0, max(low - 1, 0)) + 1, low - _REACH) : max(low - 1, 0)]
    return _first((line, before), names)


def allowance_of_statement(
    lines: Sequence[str], first: int, last: int, names: Collection[str]
) -> AllowComment | None:
    """The comment for a statement on lines ``first`` to ``last`` (from 1), or alone before it."""
    above = lines[first - 2].lstrip() if 2 <= first <= len(lines) + 1 else ""
    inside = lines[first - 1 : min(last, first + _LINES)]
    texts = ([above] if above.startswith("#") else []) + [_comment(one) for one in inside]
    return _first((one[:_WIDTH].encode("utf-8", "replace") for one in texts), names)


def _comment(line: str) -> str:
    """What follows the first ``#`` of a line of Python that stands in no literal."""
    quote, place = "", 0
    while place < len(line):
        sign = line[place]
        if quote:
            place += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#":
            return line[place:]
        place += 1
    return ""


def _first(texts: Iterable[bytes], names: Collection[str]) -> AllowComment | None:
    """The first that gives a reason, else the first."""
    found = [one for text in texts for one in _allowances(text, names)]
    return next((one for one in found if one.valid), found[0] if found else None)


def _allowances(text: bytes, names: Collection[str]) -> Iterator[AllowComment]:
    for match in _COMMENT.finditer(text):
        if any(name in names for name in re.split(r",[ \t]*", match[1].decode())):
            reason = (match[2] or b"").rstrip(_CLOSING).decode("utf-8", "replace").strip()
            yield AllowComment(reason)
