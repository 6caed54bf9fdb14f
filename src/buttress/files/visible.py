"""Text from untrusted hands, for a terminal or a report: names of files can hold what steers it."""

from __future__ import annotations


def visible(text: str) -> str:
    """``text`` with all that can't be seen spelt out, as Python would."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
