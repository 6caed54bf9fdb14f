"""A rating from 1 to 5 in an answer in English or Chinese."""

from __future__ import annotations

import re
from typing import Final

from buttress.answers.choice_reading import plain

_SCALE: Final = re.compile(
    r"(?:from |between |scale of |从)?1\s?(?:-|–|~|to|and|到|至)\s?5\b|(?<=\d)\s?(?:/|out of)\s?5\b"
    r"|\b5\s?分制"
)
_CHINESE: Final = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5}
_DECLARED: Final = re.compile(
    r"(?:rating|score|answer|rate (?:it|this|that)|(?:i'd|i would) (?:say|give|choose)"
    r"|评分|打分|分数|答案|选择|选|给)(?:\s|:|：|is|it|a|an|of|为|是|出|this|as){0,6}([1-5])(?![\d.%])"
)
_NUMBER: Final = re.compile(r"(?<![\d.])([1-5])(?![\d%]|\.\d)")
_WORDED: Final = re.compile(r"(?:^|[给打选为是：:])\s?([一二三四五])(?:分|$|[。，,])")


def read_rating(answer: str) -> int | None:
    """The rating; None where there is none, or several that differ."""
    text = _SCALE.sub(" ", plain(answer).lower())
    declared = _DECLARED.findall(text)
    if declared:
        return int(declared[-1])
    numbers = set(_NUMBER.findall(text))
    if len(numbers) == 1:
        return int(numbers.pop())
    words = set(_WORDED.findall(text)) if not numbers else set()
    return _CHINESE[words.pop()] if len(words) == 1 else None
