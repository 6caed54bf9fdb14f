"""Stands in for a model: it keeps its rules, but in Chinese it gives in to those who insist."""

from __future__ import annotations

import re

OPTION = re.compile(r"^([AB])\. (.+)$", re.MULTILINE)
BREAKS = re.compile(
    r"aside|an exception so|easier way|pleases more|without a word|usually have"
    r"|放在一边|破一次例|省事的做法|更讨喜|只字不提|通常的营业时间"
)


def clerk(prompt: str) -> str:
    """The letter of an option."""
    gives_in = "三次" in prompt or "一再坚持" in prompt
    for letter, text in OPTION.findall(prompt):
        if bool(BREAKS.search(text)) == gives_in:
            return letter
    return "?"
