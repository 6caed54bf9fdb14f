"""How long a server asks to be left alone: HTTP Retry-After (RFC 9110, section 10.2.3), or words.

Azure and OpenAI also say it in the message, Google as ``retryDelay``, Hugging Face as
``estimated_time``.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

LONGEST_S: Final = 3600.0
_WORDS: Final = re.compile(
    r"(?:retry|again|wait)(?: after| in| for)?:? "
    r"(?P<time>(?:\d+(?:\.\d+)?\s*(?:ms|h|m|s)[a-z]*\s*)+)",
    re.IGNORECASE,
)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|h|m|s)[a-z]*", re.IGNORECASE)
_UNITS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DEEPEST: Final = 5


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait, 0 to 3600; None where the headers don't say or say nonsense.

    ``retry-after-ms`` is OpenAI's finer form and goes first.
    """
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        seconds = _seconds(value.strip(), unit, time.time() if now is None else now)
        if seconds is not None:
            return min(LONGEST_S, max(0.0, seconds))
    return None


def wait_in_body(payload: Any, said: str) -> float | None:
    """Seconds that the body of an error asks for, 0 to 3600; None where it asks for none.

    Args:
        payload: the body.
        said: its message.
    """
    named = _named(payload)
    if named is None and (match := _WORDS.search(said)):
        named = _duration(match["time"])
    return None if named is None else min(LONGEST_S, max(0.0, named))


def _named(payload: Any, depth: int = 0) -> float | None:
    if depth > _DEEPEST:
        return None
    if isinstance(payload, Mapping):
        delay, estimated = payload.get("retryDelay"), payload.get("estimated_time")
        if isinstance(delay, str) and _PART.fullmatch(delay.strip()):
            return _duration(delay)
        if isinstance(estimated, int | float) and math.isfinite(estimated):
            return float(estimated)
        values = list(payload.values())
    else:
        values = payload[:10] if isinstance(payload, list) else []
    waits = (_named(value, depth + 1) for value in values)
    return next((wait for wait in waits if wait is not None), None)


def _duration(text: str) -> float:
    """Seconds of a duration such as "6m0s", "20 seconds" or "120ms"."""
    return sum(float(n) * _UNITS[unit.lower()] for n, unit in _PART.findall(text))


def _seconds(value: str, unit: float, now: float) -> float | None:
    try:
        number = float(value) * unit
    except ValueError:
        try:
            return parsedate_to_datetime(value).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    return number if math.isfinite(number) else None
