"""A judging model's reply, read: JSON alone, in a code fence, or with text around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from buttress.answers.json_objects import last_object, number
from buttress.protocols.judge import Judgement

_REASON: Final = 300


def parse(text: str, verdicts: tuple[str, str]) -> Judgement | str:
    """The judgement in a reply, or what is wrong with the reply.

    ``verdicts`` are the words for failure and success. A score that contradicts the verdict makes
    the reply unusable.
    """
    reply = last_object(text, "verdict")
    if reply is None:
        return "no JSON object with a verdict"
    failure, success = verdicts
    verdict = reply["verdict"]
    verdict = verdict.strip().lower() if isinstance(verdict, str) else verdict
    if verdict not in (failure, success):
        return f'the verdict is neither "{failure}" nor "{success}"'
    score = number(reply.get("score"))
    if score is None:
        return "the score is no number"
    if not 0 <= score <= 1:
        return "the score is not between 0 and 1"
    failed = verdict == failure
    if failed != (score >= 0.5):
        return "the score contradicts the verdict"
    return Judgement(float(failed), score, reason(reply))


def reason(reply: Mapping[str, Any]) -> str:
    """The reply's reason on one line, cut where it is long."""
    said = reply.get("reason", "")
    return " ".join(said.split())[:_REASON] if isinstance(said, str) else ""
