"""Comments that allow a finding: ``# buttress: allow RULE reason``, as in all of our probes.

Here a comment counts anywhere in a statement of several lines, and may name several rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_COMMENT: Final = re.compile(
    r"#[ \t]{0,8}buttress:[ \t]{0,8}allow[ \t]{1,8}"
    r"([a-z0-9-]{1,60}(?:,[ \t]{0,4}[a-z0-9-]{1,60}){0,20})(?:[ \t:-]{1,8}([^\r\n]{0,200}))?"
)
_LEAST: Final = 3  # characters of a reason
_REACH: Final = 30  # lines of a statement that are searched
_WIDTH: Final = 2_000  # characters of a line that are searched


def ignored(lines: Sequence[str], rule: str, first: int, last: int) -> str | None:
    """The reason for which a rule is allowed on lines ``first`` to ``last`` (from 1), or before.

    Empty where a comment gives no reason, and so has no effect; None where there is no comment.
    """
    found: str | None = None
    above = lines[first - 2].lstrip() if 2 <= first <= len(lines) + 1 else ""
    inside = lines[first - 1 : min(last, first + _REACH)]
    for line in ([above] if above.startswith("#") else []) + list(inside):
        for match in _COMMENT.finditer(line[:_WIDTH]):
            if rule in re.split(r",[ \t]*", match[1]):
                reason = (match[2] or "").strip()
                if len(reason) >= _LEAST:
                    return reason
                found = ""
    return found
