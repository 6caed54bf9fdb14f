"""How long a server asks to be left alone: HTTP Retry-After (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_S: Final = 3600.0


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


def _seconds(value: str, unit: float, now: float) -> float | None:
    try:
        number = float(value) * unit
    except ValueError:
        try:
            return parsedate_to_datetime(value).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    return number if math.isfinite(number) else None
