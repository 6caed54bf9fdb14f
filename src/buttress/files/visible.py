"""Text from untrusted hands, for a terminal or a report: names of files can hold what steers it."""

from __future__ import annotations

import os
import re
import unicodedata
from typing import Final

# Unicode's general categories of what has no shape of its own: control and format characters
# (marks that turn the writing direction among them), surrogates, separators of lines.
HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LIKE_AN_ESCAPE: Final = re.compile(r"\\(?=[\\nrt]|[xuU][0-9a-fA-F])")
_EXCERPT: Final = 120  # characters


def visible(text: str, *, keep: str = "") -> str:
    """``text`` with all that can't be seen spelt out, as Python would, but for ``keep``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else _escape(char) for char in text)


def one_line(text: str) -> str:
    """Prose on one line: breaks and tabs as spaces, hidden characters spelt out.

    Spaces of other widths, as Chinese has, stay. A file name or an answer could otherwise recolour
    the screen, move the cursor or look like something else.
    """
    if text.isprintable():
        return text
    return "".join(
        " " if char in "\n\r\t" else _escape(char) if unicodedata.category(char) in HIDDEN else char
        for char in text
    )


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()


def printable(text: str) -> str:
    """``text`` as it can be written anywhere: what isn't UTF-8 or isn't visible, escaped."""
    if text.isascii() and text.isprintable():
        return text
    return visible(os.fsencode(text).decode("utf-8", "backslashreplace"))


def printable_name(name: str) -> str:
    """The name or path of a file, once, as ``printable``, different names staying different.

    A backslash of its own that would read as the start of an escape is doubled.
    """
    return printable(_LIKE_AN_ESCAPE.sub(r"\\\\", name) if "\\" in name else name)


def shortened(text: str) -> str:
    """``text`` cut to a length fit for a report, without control characters."""
    return visible(text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…")
