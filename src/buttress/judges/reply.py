"""A judging model's reply, read: JSON alone, in a code fence, or with text around it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from buttress.protocols.judge import Judgement

LONGEST: Final = 20_000  # characters looked at
MOST_TRIES: Final = 200  # opening braces tried
_REASON: Final = 300
_DECODER: Final = json.JSONDecoder()


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


def last_object(text: str, field: str) -> dict[str, Any] | None:
    """The last JSON object with that field: models think aloud first."""
    found = [each for each in _objects(text[:LONGEST]) if field in each]
    return found[-1] if found else None


def number(value: object) -> float | None:
    """A finite number, given as one or as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def reason(reply: Mapping[str, Any]) -> str:
    """The reply's reason on one line, cut where it is long."""
    said = reply.get("reason", "")
    return " ".join(said.split())[:_REASON] if isinstance(said, str) else ""


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
