"""Versions of packs (Semantic Versioning 2.0.0) and ranges of Buttress's own."""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Final

_NUMBER: Final = r"(0|[1-9][0-9]{0,8})"
_VERSION: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z.-]{{1,100}}))?(?:\+[0-9A-Za-z.-]{{1,100}})?"
)
_BOUND: Final = re.compile(rf"(>=|<=|>|<|==)\s*{_NUMBER}(?:\.{_NUMBER})?(?:\.{_NUMBER})?")


@total_ordering
class Version:
    """A version, ordered as section 11 of the standard says; what follows ``+`` doesn't count."""

    def __init__(self, text: str) -> None:
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text[:60]}' is not a semantic version")
        parts = match[4].split(".") if match[4] else []
        if match[4] and not all(parts):
            raise ValueError(f"'{text[:60]}' is not a semantic version")
        self.text = text
        self._key = (
            (int(match[1]), int(match[2]), int(match[3])),
            not parts,
            tuple((not one.isdigit(), int(one) if one.isdigit() else 0, one) for one in parts),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.text


def meets(version: str, wanted: str) -> bool:
    """Whether a version lies in a range such as ``>=0.3, <1``; missing numbers are 0.

    Raises:
        ValueError: not a range.
    """
    own = tuple(int(one) for one in re.findall(r"[0-9]+", version)[:3])
    own += (0,) * (3 - len(own))
    for text in wanted.split(","):
        match = _BOUND.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"'{text.strip()[:40]}' is not a bound")
        bound = tuple(int(one or 0) for one in match.groups()[1:])
        holds = {
            ">=": own >= bound, "<=": own <= bound, ">": own > bound, "<": own < bound,
            "==": own == bound,
        }  # fmt: skip
        if not holds[match[1]]:
            return False
    return True
