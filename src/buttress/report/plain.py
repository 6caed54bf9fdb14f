"""Text of the system under test made safe for a terminal."""

from __future__ import annotations

import unicodedata
from typing import Final

HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # Unicode's general categories
_SHOWN_AS: Final = "\N{REPLACEMENT CHARACTER}"


def plain(text: str) -> str:
    """``text`` on one line, without control characters or marks that turn the writing direction.

    A file name or an answer could otherwise recolour the screen, move the cursor or look like
    something else.
    """
    return "".join(
        " " if char in "\n\r\t" else _SHOWN_AS if unicodedata.category(char) in HIDDEN else char
        for char in text
    )
