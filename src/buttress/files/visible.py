"""Text from untrusted hands, for a terminal or a report: names of files can hold what steers it."""

from __future__ import annotations

import os
from typing import Final

_EXCERPT: Final = 120  # characters


def visible(text: str) -> str:
    """``text`` with all that can't be seen spelt out, as Python would."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def printable(name: str) -> str:
    """``name`` as text that can be written anywhere: what isn't UTF-8 or isn't visible, escaped."""
    if name.isascii() and name.isprintable():
        return name
    return visible(os.fsencode(name).decode("utf-8", "backslashreplace"))


def shortened(text: str) -> str:
    """``text`` cut to a length fit for a report, without control characters."""
    return visible(text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…")
