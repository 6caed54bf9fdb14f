"""The confidence that an answer in English or Chinese states, and the answer without it."""

from __future__ import annotations

import re
from typing import Final

from buttress.answers.choice_reading import plain

_NUMBER: Final = r"(\d{1,3}(?:\.\d{1,4})?)\s?(%|％|percent|/\s?100?\b|out of 100?\b|分)?"
_WORD: Final = (
    r"(?:confidence(?: level| score)?|certainty|probability|how sure|(?:i am|i'm) (?:about )?(?=\d)"
    r"|信心|置信度|把握|确信程度|确定程度|可信度|自信)"
)
_STATED: Final = re.compile(
    _WORD
    + r"[\s:：=为是约大概有在的\-(（]{0,8}(?:(?:is|of|about|around|roughly|at|level)\s){0,3}"
    + _NUMBER,
    re.IGNORECASE,
)
_SURE: Final = re.compile(
    r"(\d{1,3}(?:\.\d{1,4})?)\s?(%|％|percent)\s?(?:的?(?:信心|把握|确定|确信|肯定|sure|certain|confiden))",
    re.IGNORECASE,
)
_TENTHS: Final = re.compile(r"([一二三四五六七八九十])成(?:的?(?:把握|信心))?")
_LINE: Final = re.compile(r"(?:^|\n)\s*\(?(\d{1,3}(?:\.\d{1,4})?)\s?(%|％)\)?\s*$")
_DIGITS: Final = "一二三四五六七八九十"


def stated_confidence(answer: str) -> float | None:
    """The stated probability of being right, in [0, 1]; the last where several are stated.

    None where none is stated, or none that makes sense.
    """
    found = _find(plain(answer))
    return found[0] if found else None


def without_confidence(answer: str) -> str:
    """The answer up to the statement of confidence."""
    text = plain(answer)
    found = _find(text)
    return (text[: found[1]] if found else text).strip()


def _find(text: str) -> tuple[float, int] | None:
    last: tuple[float, int] | None = None
    for pattern in (_STATED, _SURE, _LINE):
        for match in pattern.finditer(text):
            value = _share(match.group(1), match.group(2))
            if value is not None and (last is None or match.start() > last[1]):
                last = value, match.start()
        if last:
            return last
    for match in _TENTHS.finditer(text):
        last = (_DIGITS.index(match.group(1)) + 1) / 10, match.start()
    return last


def _share(number: str, unit: str | None) -> float | None:
    value = float(number)
    unit = re.sub(r"\s|out of", "", (unit or "").lower()).lstrip("/")
    if unit == "10":
        value /= 10
    elif unit in {"%", "％", "percent", "100", "分"} or value > 1:
        value /= 100
    return value if 0 <= value <= 1 else None
