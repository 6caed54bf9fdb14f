"""Whether a short answer in English or Chinese names the right thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_NEGATED: Final = re.compile(r"(?:\bnot|n't|\bnever|不是|并非|而非|不等于)\s*(?:the |a |an )?$")
# One Chinese sign is part of many words, so it must stand alone but for what may go with it.
_BEFORE: Final = r"(?:^|[是为有：:，,。\s（(])"
_AFTER: Final = r"(?:朝|代|气|个|条|根|只|元|年|度|女士|楼|把|块)?(?:$|[。，,.!！;；\s）)])"


def first_place(text: str, names: Sequence[str]) -> int | None:
    """Where the first of ``names`` stands in ``text``, not counting "not NAME"; None if nowhere.

    Letters' case doesn't matter; a name in Latin letters or digits is a whole word.
    """
    text = re.sub(r"(?<=\d)[,，](?=\d{3}(?!\d))", "", text.lower())
    places = [
        match.start(1)
        for name in names
        for match in _pattern(name.lower()).finditer(text)
        if not _NEGATED.search(text[max(0, match.start(1) - 20) : match.start(1)])
    ]
    return min(places, default=None)


def names_right(text: str, right: Sequence[str], wrong: Sequence[str]) -> bool:
    """Whether a right name stands in ``text``, and no wrong one before it."""
    place = first_place(text, right)
    if place is None:
        return False
    other = first_place(text, wrong)
    return other is None or place <= other


@lru_cache(maxsize=4096)
def _pattern(name: str) -> re.Pattern[str]:
    exact = re.escape(name)
    if len(name) == 1 and "\u3400" <= name <= "\u9fff":
        return re.compile(f"{_BEFORE}({exact}){_AFTER}")
    before = r"(?<![a-z0-9.])" if name[0].isascii() else ""
    after = r"(?![a-z0-9]|\.\d)" if name[-1].isascii() else ""
    return re.compile(f"{before}({exact}){after}")
