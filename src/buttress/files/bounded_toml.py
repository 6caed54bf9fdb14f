"""TOML from untrusted hands: ``tomllib`` takes time and memory in the square of a key's parts."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

_MAX_PARTS: Final = 100
_PART: Final = re.compile(r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\]|\\.)*+"|'[^']*+')[ \t]*+\.[ \t]*+""")


def loads(text: str) -> dict[str, Any]:
    """The data of a TOML document.

    Raises:
        ValueError: it is not TOML, or nested deeper than anybody needs.
    """
    if any(line.count(".") > _MAX_PARTS and _long_key(line) for line in text.split("\n")):
        raise ValueError(f"a key has more than {_MAX_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _long_key(line: str) -> bool:
    """Whether more parts with a dot follow each other than a key may have, anywhere in the line."""
    parts, end = 0, 0
    for part in _PART.finditer(line):
        parts = parts + 1 if part.start() == end else 1
        if parts > _MAX_PARTS:
            return True
        end = part.end()
    return False
