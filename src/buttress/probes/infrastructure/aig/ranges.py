"""Ranges of versions in fingerprints: read, intersected and written as AI-Infra-Guard does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from buttress.probes.infrastructure.aig.version_order import compares

_INTERVAL: Final = re.compile(r"\s*([\[(])\s*([^,\[\]()]*?)\s*,\s*([^,\[\]()]*?)\s*([\])])\s*")
_BOUND: Final = re.compile(r"\s*(>=|<=|==|>|<|=)?\s*(\S+)\s*")


class Bound(NamedTuple):
    """``operator version``; the operator is one of >=, >, <=, <, =."""

    operator: str
    version: str


def bounds(text: str) -> list[Bound]:
    """The bounds of ``[a,b)`` or of a list such as ``>=1.5.0,<2.0.0``; none where it is neither."""
    if match := _INTERVAL.fullmatch(text):
        lower = [Bound(">=" if match[1] == "[" else ">", match[2])] if match[2] else []
        return lower + ([Bound("<=" if match[4] == "]" else "<", match[3])] if match[3] else [])
    found = []
    for part in text.split(","):
        if match := _BOUND.fullmatch(part):
            operator = match[1] or "="
            found.append(Bound("=" if operator == "==" else operator, match[2]))
    return found


def intersection(texts: Iterable[str]) -> str:
    """What lies in all ranges, as ``>=1.5.0,<2.0.0`` or ``=1.2.3``; empty without a bound."""
    lower: Bound | None = None
    upper: Bound | None = None
    for one in (bound for text in texts for bound in bounds(text)):
        if one.operator == "=":
            return f"={one.version}"
        if one.operator.startswith(">"):
            lower = one if lower is None or _tighter(one, lower, ">") else lower
        else:
            upper = one if upper is None or _tighter(one, upper, "<") else upper
    return ",".join(f"{one.operator}{one.version}" for one in (lower, upper) if one)


def _tighter(one: Bound, other: Bound, operator: str) -> bool:
    same = compares(one.version, "==", other.version)
    return compares(one.version, operator, other.version) or (same and len(one.operator) == 1)
