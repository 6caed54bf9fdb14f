"""A judging model's reply, read: JSON alone, in a code fence, or with text around it."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from buttress.judges.base import Expect, Judgement
from buttress.judges.rubric import VERDICTS

LONGEST: Final = 20_000  # characters looked at
MOST_TRIES: Final = 200  # opening braces tried
_REASON: Final = 300
_DECODER: Final = json.JSONDecoder()


def parse(text: str, expect: Expect) -> Judgement | str:
    """The judgement in a reply, or what is wrong with the reply.

    The last object with a verdict counts: models think aloud first. A score that contradicts the
    verdict makes the reply unusable.
    """
    found = [each for each in _objects(text[:LONGEST]) if "verdict" in each]
    if not found:
        return "no JSON object with a verdict"
    reply = found[-1]
    failure, success = VERDICTS[expect]
    verdict = reply["verdict"]
    verdict = verdict.strip().lower() if isinstance(verdict, str) else verdict
    if verdict not in (failure, success):
        return f'the verdict is neither "{failure}" nor "{success}"'
    score = reply.get("score")
    if isinstance(score, str):
        try:
            score = float(score)
        except ValueError:
            return "the score is no number"
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        return "the score is no number"
    if not 0 <= score <= 1:
        return "the score is not between 0 and 1"
    failed = verdict == failure
    if failed != (score >= 0.5):
        return "the score contradicts the verdict"
    reason = reply.get("reason", "")
    said = " ".join(reason.split())[:_REASON] if isinstance(reason, str) else ""
    return Judgement(float(failed), float(score), said)


def _objects(text: str) -> list[dict[str, Any]]:
    """JSON objects in a text, in order, not those inside others."""
    found: list[dict[str, Any]] = []
    start = text.find("{")
    for _ in range(MOST_TRIES):
        if start < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            found.append(value)
        start = text.find("{", end)
    return found
