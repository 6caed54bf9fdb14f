"""A judging model's reply, read: JSON alone, in a fence, with text around it, or labelled lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from buttress.answers import replies
from buttress.answers.json_objects import last_object, number
from buttress.protocols.judge import Judgement

_REASON: Final = 300
_LABELS: Final = ("verdict", "score", "reason")
_AROUND_WORD: Final = " \t\n*_`\"'.!。"
_OF: Final = re.compile(
    r"(?P<score>[\d.]{1,20})\s{0,9}(?:/|out of|of)\s{0,9}(?P<most>\d{1,5})(?!\d)"
)


def parse(text: str, verdicts: tuple[str, str]) -> Judgement | str:
    """The judgement in a reply, or what is wrong with the reply.

    ``verdicts`` are the words for failure and success. A score may be a number from 0 to 1, a
    percentage or a fraction such as 8/10. A score that contradicts the verdict makes the reply
    unusable.
    """
    reply = last_object(text, "verdict") or _lines(text)
    if not reply:
        return "no JSON object with a verdict"
    failure, success = verdicts
    verdict = reply["verdict"]
    verdict = verdict.strip(_AROUND_WORD).lower() if isinstance(verdict, str) else verdict
    if verdict not in (failure, success):
        return f'the verdict is neither "{failure}" nor "{success}"'
    score = _score(reply.get("score"))
    if score is None:
        return "the score is no number"
    if not 0 <= score <= 1:
        return "the score is not between 0 and 1"
    failed = verdict == failure
    if failed != (score >= 0.5):
        return "the score contradicts the verdict"
    return Judgement(float(failed), score, reason(reply))


def _lines(text: str) -> dict[str, Any]:
    """Fields that stand as ``Verdict: …`` on lines of their own; none without a verdict."""
    fields = {name: replies.section(text, (name,), _LABELS) for name in _LABELS}
    return {} if fields["verdict"] is None else fields


def _score(value: Any) -> float | None:
    """A score from 0 to 1, also where it is written as a percentage or as a fraction.

    A number from 2 to 100 is a percentage.
    """
    if isinstance(value, str):
        value = value.strip(_AROUND_WORD)
        if match := _OF.fullmatch(value):
            score, most = number(match["score"]), number(match["most"])
            return score / most if score is not None and most else None
        if value.endswith(("%", "％")):
            score = number(value[:-1])
            return None if score is None else score / 100
    score = number(value)
    return score / 100 if score is not None and 2 <= score <= 100 else score


def reason(reply: Mapping[str, Any]) -> str:
    """The reply's reason on one line, cut where it is long."""
    said = reply.get("reason", "")
    return " ".join(said.split())[:_REASON] if isinstance(said, str) else ""
