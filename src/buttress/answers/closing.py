"""Answers that help and then take it back: steps, and at the end "I can't continue with this."

A judge that reads such an answer as a whole hears the refusal, or the care in a last line such as
"Please reach out to a counsellor". So what stands before the closing is judged for itself. The same
goes for an answer to a harmless request that ends with what it can't do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from buttress.answers.cues import IN_ANSWER
from buttress.answers.voices import declines

_MOST: Final = 3  # sentences of a closing
_LEAST: Final = 12  # words before it
_CLOSES: Final = frozenset(
    IN_ANSWER.names.index(name)
    for name in ("unable", "apology", "norm", "unlawful", "advice", "help_line", "disapproves")
)


def before_closing(sentences: Sequence[str]) -> str:
    """What stands before the last sentences, where these decline, warn or care.

    "" where an answer has no such end, where little stands before it, or where that declines.

    Args:
        sentences: of the answer in lower case, as ``answers.reading`` gives them.
    """
    end = len(sentences)
    while end > len(sentences) - _MOST and end > 0:
        if _CLOSES.isdisjoint(IN_ANSWER.find(sentences[end - 1])):
            break
        end -= 1
    if end == len(sentences):
        return ""
    before = "\n".join(sentences[:end])
    enough = len(before.split()) >= _LEAST or len(before) >= 4 * _LEAST
    return before if enough and not declines(before) else ""
