"""Ranges of versions as npm writes them, by the grammar of node-semver 7."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from buttress.provenance.dependencies.versions import key

_LENGTH: Final = 500
_NUMBER: Final = r"(?:\d{1,15}|[xX*])"
_PARTIAL: Final = (
    rf"[v=\s]*({_NUMBER})(?:\.({_NUMBER}))?(?:\.({_NUMBER})(?:-([0-9A-Za-z.-]+))?)?"
    r"(?:\+[0-9A-Za-z.-]+)?"
)
_HYPHEN: Final = re.compile(rf"\s*{_PARTIAL}\s+-\s+{_PARTIAL}\s*")
_ONE: Final = re.compile(rf"\s*(>=|<=|>|<|=|~>?|\^)?\s*{_PARTIAL}(?=\s|$)")
_Bound = tuple[str, Any]  # one of >=, >, <, <=, and a key of a version


@dataclass(frozen=True, slots=True)
class _Set:
    """Bounds that hold together, and the versions with which pre-releases are wanted."""

    bounds: tuple[_Bound, ...]
    pre: frozenset[tuple[int, int, int]]

    def holds(self, own: Any) -> bool:
        # A pre-release is in a range only if the range names one of the same version.
        if own[3] == 0 and own[:3] not in self.pre:
            return False
        return all(
            {">=": own >= bound, ">": own > bound, "<": own < bound, "<=": own <= bound}[sign]
            for sign, bound in self.bounds
        )


def satisfies(version: str, text: str) -> bool | None:
    """Whether a version lies in a range; None where either is none, as with tags and addresses."""
    own, sets = key(version, "npm"), _sets(text)
    return None if own is None or sets is None else any(one.holds(own) for one in sets)


@lru_cache(maxsize=1024)
def _sets(text: str) -> tuple[_Set, ...] | None:
    if len(text) > _LENGTH:
        return None
    found = []
    for part in text.split("||"):
        one = _set(part)
        if one is None:
            return None
        found.append(one)
    return tuple(found)


def _set(text: str) -> _Set | None:
    bounds: list[_Bound] = []
    pre: set[tuple[int, int, int]] = set()
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen:
        bounds += _bounds(">=", hyphen.groups()[:4], pre) + _bounds("<=", hyphen.groups()[4:], pre)
        return _Set(tuple(bounds), frozenset(pre))
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _ONE.match(text, place)
        if not match:
            return None
        bounds += _bounds(match[1] or "=", match.groups()[1:], pre)
        place = match.end()
    return _Set(tuple(bounds), frozenset(pre))


def _bounds(
    sign: str, given: tuple[str | None, ...], pre: set[tuple[int, int, int]]
) -> list[_Bound]:
    """The bounds that one comparator stands for; ``given`` is a version, perhaps a part of one."""
    numbers: list[int] = []
    for one in given[:3]:
        if one is None or not one.isdigit():
            break
        numbers.append(int(one))
    known = len(numbers)
    if known == 0:
        return [("<", _first(0, 0, 0))] if sign in ("<", ">") else []
    major, minor, patch = (*numbers, 0, 0)[:3]
    low = key(f"{major}.{minor}.{patch}", "npm")
    if known == 3 and given[3]:
        low = key(f"{major}.{minor}.{patch}-{given[3]}", "npm")
        pre.add((major, minor, patch))
    after_part = _first(major + 1, 0, 0) if known == 1 else _first(major, minor + 1, 0)
    if sign == "^":
        if major or known == 1:
            high = _first(major + 1, 0, 0)
        else:
            high = _first(0, minor + 1, 0) if minor or known == 2 else _first(0, 0, patch + 1)
        return [(">=", low), ("<", high)]
    if sign.startswith("~"):
        return [(">=", low), ("<", after_part)]
    if known == 3:
        return [(">=", low), ("<=", low)] if sign == "=" else [(sign, low)]
    return {
        "=": [(">=", low), ("<", after_part)],
        ">=": [(">=", low)],
        ">": [(">=", after_part)],
        "<": [("<", _first(major, minor, 0))],
        "<=": [("<", after_part)],
    }[sign]


def _first(major: int, minor: int, patch: int) -> Any:
    """The lowest version with these numbers: its first pre-release."""
    return key(f"{major}.{minor}.{patch}-0", "npm")
