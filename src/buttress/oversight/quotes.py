"""Quotes that arguers claim to take from a text, checked (Khan et al. 2024)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

_QUOTE: Final = re.compile(r"<quote>(.*?)</quote>", re.DOTALL | re.IGNORECASE)


def check_quotes(statement: str, text: str, mark: Callable[[bool, str], str]) -> str:
    """The statement with each quote replaced by what ``mark`` makes of it.

    Args:
        statement: what was argued.
        text: the text that quotes must stand in; white space, case and typographic quotes differ
            without harm.
        mark: given whether the quote stands there, and the quote.
    """
    plain = _plain(text)

    def replaced(match: re.Match[str]) -> str:
        quote = match[1].strip()
        return mark(bool(_plain(quote)) and _plain(quote) in plain, quote)

    return _QUOTE.sub(replaced, statement)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = text.translate({ord(one): '"' for one in "“”„«»"} | {ord(one): "'" for one in "‘’"})
    return " ".join(text.split())
