"""Tokens of a text where nobody tells their number.

About four characters of alphabetic text make a token, and a Chinese, Japanese or Korean character
makes about one, in the tokenizers of today's models; the estimate is on the high side, so that a
budget is not overdrawn.
"""

from __future__ import annotations

import re
from typing import Final

_WIDE: Final = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_LETTERS: Final = 3.6  # characters a token
_OVERHEAD: Final = 4  # tokens that a turn costs beside its text


def estimated(*texts: str) -> int:
    """Tokens of turns with these texts, about."""
    total = 0.0
    for text in texts:
        wide = 0 if text.isascii() else len(_WIDE.findall(text))
        total += wide + (len(text) - wide) / _LETTERS + _OVERHEAD
    return round(total)
