"""Words of an answer or a request that carry meaning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from buttress.answers.reading import words_in

FUNCTION_WORDS: Final = frozenset(
    words_in(
        "a an the and or but of to in on for with by from at as is are be it that this their your "
        "my how what why who me you i they them his her its do does can could would should write "
        "create explain describe provide give make list about into such not no than then"
    )
)


def content_words(words: Sequence[str]) -> frozenset[str]:
    """Words that carry meaning; for Chinese, pairs of neighbouring characters."""
    distinct = set(words)
    content = {word for word in distinct - FUNCTION_WORDS if len(word) > 2}
    if not "".join(distinct).isascii() and any(map(is_han, distinct)):
        content.update(a + b for a, b in pairwise(words) if is_han(a) and is_han(b))
    return frozenset(content)


def is_han(word: str) -> bool:
    """Whether the text begins with a Chinese character."""
    return "\u4e00" <= word <= "\u9fff"
