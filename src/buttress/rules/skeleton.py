"""Letters that look like others, folded: look-alikes, full width, accents, invisible characters.

The prototypes are those of Unicode Technical Standard 39 (confusables.txt), as far as they are
Latin letters and digits; compatibility forms are those of NFKC. Lines stay what they are.
"""

from __future__ import annotations

import json
import string
import unicodedata
from functools import cache
from importlib import resources

_BLANKS = frozenset("\u2800\u3164\u115f\u1160\uffa0")  # letters and signs that show nothing
_PLAIN = frozenset(string.ascii_letters + string.digits)


def skeleton(text: str) -> str:
    """``text`` with each look-alike replaced by the letter that it looks like.

    The same object where there is nothing to fold. Line breaks are neither added nor removed.
    """
    if text.isascii():
        return text
    table: dict[int, str] = {}
    for sign in set(text):
        folded = _folded(sign)
        if folded != sign:
            table[ord(sign)] = folded
    return text.translate(table) if table else text


@cache
def _prototypes() -> dict[str, str]:
    """Characters that can be confused with a Latin letter or a digit, by UTS 39."""
    source = resources.files("confusable_homoglyphs") / "confusables.json"
    alike = json.loads(source.read_text(encoding="utf-8"))
    return {
        one["c"]: plain
        for plain in string.ascii_letters + string.digits
        for one in alike.get(plain, ())
        if len(one["c"]) == 1 and not one["c"].isascii() and unicodedata.category(one["c"]) != "Nl"
    }


def _folded(sign: str) -> str:
    if sign.isascii():
        return sign
    category = unicodedata.category(sign)
    if category in ("Zs", "Zl", "Zp") or sign in _BLANKS:
        return " "
    if category in ("Cf", "Mn") or "\ufe00" <= sign <= "\ufe0f" or sign >= "\U000e0100":
        return ""
    parts = unicodedata.normalize("NFKD", sign)
    plain = "".join(one for one in parts if unicodedata.category(one) != "Mn")
    if plain and all(one in _PLAIN for one in plain):
        return plain
    if len(plain) == 1 and " " < plain < "\x7f" and "\uff00" < sign < "\uff5f":
        return plain  # full-width punctuation
    known = _prototypes().get(sign, sign)
    # The standard takes capital I for a small L; here the letter that is meant matters.
    return "I" if known == "l" and category == "Lu" else known
