"""Tells whether a sign of dollar in a value stands for a variable or is part of the value."""

from __future__ import annotations

import re
from typing import Final

from buttress.rules.credentials.literals import is_words

_VARIABLE: Final = re.compile(rb"\$([A-Za-z_][A-Za-z0-9_]*)")
# Formats and languages whose plain literals expand no ``$name``; most know ``${name}``.
_LITERAL: Final = (
    ".json", ".jsonc", ".json5", ".cs", ".vb", ".fs", ".config", ".xml", ".java", ".py", ".go",
    ".rs", ".toml", ".ini", ".properties", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".vue",
    ".swift", ".c", ".h", ".cpp", ".hpp", ".cc", ".rb", ".sql", ".tf", ".csv",
)  # fmt: skip
_EXPANDING_QUOTES: Final = (".dart", ".groovy")  # they expand within single quotes, too
_NAMED: Final = re.compile(
    rb"[A-Z]+(?:_[A-Z0-9]+)+|(?i:[a-z_]*(?:pass(?:word|wd)?|pwd|token|secret|key|user(?:name)?|host))"
)


def expands(value: bytes, before: bytes, file: str) -> bool:
    """Whether a ``$name`` in ``value`` refers to a variable.

    Args:
        value: the literal, without its quotes.
        before: the byte before it, a quote mostly.
        file: name of the file, which tells the language; "" where it is not known.

    A value that is nothing but ``$name`` always does. Where the language expands names, one that
    is no word is taken for part of a password: nobody calls a variable so.
    """
    names = _VARIABLE.findall(value)
    if not names:
        return False
    name = file.lower()
    quoted = before == b"'" and not name.endswith(_EXPANDING_QUOTES)
    if _VARIABLE.fullmatch(value) or any(_NAMED.fullmatch(one) for one in names):
        return True
    return not (quoted or name.endswith(_LITERAL)) and any(is_words(one) for one in names)
