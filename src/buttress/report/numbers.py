"""How figures are written in reports: no more digits than they carry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

_SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "CNY": "¥", "JPY": "¥"}
SCALES: Final = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))


def percent(share: float) -> str:
    """A share as a percentage: two significant digits below 10%, and 0.9995 not as 100%."""
    distance = min(share, 1.0 - share)
    if distance <= 0:
        return "0%" if share <= 0 else "100%"
    if distance < 0.0001:
        return "<0.01%" if share < 0.5 else ">99.99%"
    if distance >= 0.095:
        digits = 0
    elif share > 0.5:
        digits = 1 if distance >= 0.001 else 2
    else:
        digits = max(0, 1 - math.floor(math.log10(distance * 100) + 1e-9))
    text = f"{share * 100:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def part(share: float) -> str:
    """A share of a whole, where less than a thousandth does not matter."""
    return percent(share) if share >= 0.0005 or share <= 0 else "<0.1%"


def span(low: float, high: float) -> str:
    """A range of shares, e.g. ``60–72%``."""
    first, last = percent(low), percent(high)
    if first == last:
        return first
    return f"{first.removesuffix('%')}–{last}"


def money(amount: float, unit: str, scales: Sequence[tuple[float, str]] = SCALES) -> str:
    """An amount, to about three significant digits, e.g. ``€48k``; ``scales`` largest first."""
    sign = _SIGNS.get(unit, f"{unit} " if unit else "")
    if amount >= 1e15:
        return f"{sign}{amount:.1e}"
    for scale, suffix in scales:
        if amount >= scale * 0.9995:
            return f"{sign}{_three(amount / scale)}{suffix}"
    return f"{sign}{_three(amount)}"


def _three(value: float) -> str:
    if value <= 0:
        return "0"
    if value < 0.01:
        return "<0.01"
    digits = 0 if value >= 99.5 else 1 if value >= 9.95 else 2
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(number: float) -> str:
    """A whole number with separators; a fraction keeps one digit."""
    if math.isfinite(number) and number == int(number):
        return f"{int(number):,}"
    return f"{number:,.1f}"


def duration(seconds: float) -> str:
    """Seconds in the unit that people would use."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h"


def size(number: float) -> str:
    """Bytes in the unit that people would use."""
    for scale, suffix in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= scale:
            return f"{_three(number / scale)} {suffix}"
    return f"{number:.0f} bytes"


def plural(number: float, noun: str, many: str = "") -> str:
    """``1 risk``, ``2 risks``."""
    return f"{count(number)} {noun if number == 1 else many or noun + 's'}"


def listing(words: Sequence[str], limit: int = 0) -> str:
    """``a, b and c``; beyond ``limit`` (0 for none) the rest as a number."""
    shown = list(words)
    if limit and len(shown) > limit:
        shown = [*shown[:limit], f"{len(words) - limit} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def rate(interval: Mapping[str, float]) -> str:
    """An interval with its estimate, e.g. ``66% (60–72%)``."""
    return f"{percent(interval['estimate'])} ({span(interval['low'], interval['high'])})"
