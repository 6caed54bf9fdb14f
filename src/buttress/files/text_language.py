"""English or Chinese: the language of a record that names none, by its letters."""

from __future__ import annotations

from typing import Final

_CHINESE: Final = (("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uf900", "\ufaff"))


def guess_language(text: str) -> str:
    """ "zh" where at least a fifth of the letters are Chinese characters, else "en"."""
    if text.isascii():
        return "en"
    letters = [sign for sign in text if sign.isalpha()]
    chinese = sum(any(low <= sign <= high for low, high in _CHINESE) for sign in letters)
    return "zh" if chinese * 5 >= max(1, len(letters)) else "en"
