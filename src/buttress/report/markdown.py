"""Text of unknown origin in Markdown, so that it can't leave its cell or pass for markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from buttress.files.visible import one_line, shortened

_ACTIVE: Final = re.compile(r"([\\|`*\[\]!])")


def cell(text: str) -> str:
    """The text as it reads, short and on one line."""
    return prose(shortened(text))


def prose(text: str) -> str:
    """The text as it reads, whole and on one line."""
    return _ACTIVE.sub(r"\\\1", one_line(text)).replace("<", "&lt;")


def code(text: str) -> str:
    """The text between backticks, where nothing is markup but a backtick, and a column's end."""
    return f"`{one_line(text).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> list[str]:
    """Lines of a table; ``right`` are the columns of numbers. Cells are taken as they are."""
    rule = ["---:" if at in right else "---" for at in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]
