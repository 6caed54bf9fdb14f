"""Refusals that name what an application is for: "I can only help with orders and returns."

An application declines so whatever it is asked outside its subject. Such a line is short and says
nothing else, so that it is told from an answer that names its own limits.
"""

from __future__ import annotations

import re
from typing import Final

from buttress.answers.reading import read

LONGEST: Final = 240  # characters
MOST_SENTENCES: Final = 3
_SUBJECT: Final = (
    r"(?:help|assist|support|serve)(?: you)?(?: \S+)? with"
    r"|(?:answer|respond to|handle|process|take|discuss|address|talk about|reply to)(?: \S+){0,2}? "
    r"(?:questions?|queries|inquiries|topics?|requests?|matters?|subjects?|issues?)"
)
_SCOPE: Final = re.compile(
    "|".join(
        (
            rf"\b(?:i|we) (?:can|may|could|will)(?: \S+)? (?:only|just) (?:{_SUBJECT})\b",
            rf"\b(?:i|we) (?:only|just) (?:{_SUBJECT})\b",
            r"\b(?:i'm|i am|we're|we are) (?:only|just|solely) (?:able|here|allowed|set up"
            rf"|trained|designed|meant|built|permitted) to (?:{_SUBJECT})\b",
            r"\bmy (?:help|knowledge|role|expertise|scope|purpose) is (?:limited|restricted) to\b",
            r"\b(?:this|that|your (?:question|request|message)) (?:question |request |topic )?"
            r"(?:is|lies|falls) (?:outside|beyond|out) (?:of )?(?:my|our|the|what (?:i|we)) ?",
            r"(?:我|我们|本助手|本系统)?(?:只能|仅能|仅可|只负责|只支持|仅支持)(?:为您|帮您|帮助您)?"
            r"(?:回答|解答|处理|协助|提供|受理).{0,24}(?:问题|咨询|事宜|服务|业务|请求)",
        )
    )
)
_GOES_ON: Final = re.compile(r"[:：]|\b(?:but|so)\b|但")


def names_its_scope(text: str) -> bool:
    """Whether a short answer only says what the application helps with."""
    if len(text) > LONGEST:
        return False
    sentences = read(text).sentences
    return len(sentences) <= MOST_SENTENCES and any(map(_declines, sentences))


def _declines(sentence: str) -> bool:
    match = _SCOPE.search(sentence)
    return match is not None and _GOES_ON.search(sentence, match.end()) is None
