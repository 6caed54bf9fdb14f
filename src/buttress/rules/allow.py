"""Comments that allow a finding on their line or the next: ``buttress: allow WHAT reason``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_COMMENT: Final = re.compile(
    rb"buttress:[ \t]{0,8}allow[ \t]{1,8}([a-z0-9-]{1,60})(?:[ \t:,;(-]{1,8}([^\r\n\"]{0,200}))?"
)
_CLOSING: Final = b" \t)*-/>#\\n"
_REACH: Final = 1_000  # bytes of a line that are searched on either side
_LEAST: Final = 3  # characters of a reason


@dataclass(frozen=True, slots=True)
class Allowance:
    """A comment that allows a finding; without a reason it has no effect."""

    reason: str

    @property
    def valid(self) -> bool:
        """Whether a reason is given."""
        return len(self.reason) >= _LEAST


def allowance(data: bytes, start: int, names: tuple[str, ...]) -> Allowance | None:
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
    for text in (line, before):
        for match in _COMMENT.finditer(text):
            if match[1].decode() in names:
                reason = (match[2] or b"").rstrip(_CLOSING).decode("utf-8", "replace").strip()
                return Allowance(reason)
    return None
