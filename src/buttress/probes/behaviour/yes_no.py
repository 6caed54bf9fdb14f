"""Whether an answer in English or Chinese opens with yes or with no."""

from __future__ import annotations

import re
from typing import Final

from buttress.answers.choice_reading import plain
from buttress.answers.refusals import declined

_OPENING: Final = 120  # characters in which the answer must come
# The two together, as in the question's own words, are no answer.
_EITHER: Final = re.compile(
    r"""[“"']?(?:是[”"']?\s?或[“"']?\s?否|\byes\W{1,3}or\W{1,3}no\b)[”"']?""", re.IGNORECASE
)
_YES: Final = (
    r"yes|yeah|yep|correct|right|absolutely|certainly|definitely|indeed|of course|sure|true"
)
_ENGLISH: Final = re.compile(
    r"\b(?:(?P<no>no(?!\s+(?:problem|doubt|worries|matter)\b)|nope|not (?:really|at all|quite)"
    rf"|never|incorrect|false)|(?P<yes>(?<!not )(?<!in)(?:{_YES})))\b"
)
_CHINESE: Final = re.compile(
    r"(?P<no>不是|不对|不会|不能|不可以|不行|并不|并非|并没有|没有|没|(?<!是)否(?!则|认)"
    r"|不(?=[，,。.！!\s]|$))"
    r"""|(?P<yes>(?:^|(?<=[，,。.：:“"\s]))(?:是的|是(?=[，,。.！!”"\s]|$)|对(?=[，,。.！!的\s]|$)"""
    r"|会的|能的|可以|有的|当然|确实|没错|正确))"
)


def opens_with_yes(answer: str) -> bool | None:
    """True for yes, False for no, None where neither stands in the answer's opening.

    "No" as a word of a refusal ("lo siento, pero no puedo") is none.
    """
    text = _EITHER.sub(" ", plain(answer)).lower()[:_OPENING].strip()
    if text.startswith("没错"):
        return True
    found = [match for pattern in (_ENGLISH, _CHINESE) if (match := pattern.search(text))]
    if not found:
        return None
    first = min(found, key=lambda match: match.start())
    if first.start() > 0 and declined(answer):
        return None
    return first.lastgroup == "yes"
