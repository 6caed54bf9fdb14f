"""Versions of products in the order of their ecosystem, and what a bound says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

Scheme = Literal["pep440", "semver", "calendar", "build", "debian"]
# A release, then what follows it; "b8585" and "r123" are builds.
_VERSION: Final = re.compile(
    r"[=\s]*(?:version-|release-|ver)?[vVbBrR]?(\d{1,18}(?:[._]\d{1,18})*)(.*)", re.S
)
_TOKEN: Final = re.compile(r"[A-Za-z]+|\d+|\+")
_DEBIAN: Final = re.compile(r"(?:(\d+):)?([0-9][0-9A-Za-z.+~:-]*?)(?:-([0-9A-Za-z.+~]+))?")
_STAGES: Final = {
    "dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2,
    **dict.fromkeys(("c", "rc", "pre", "preview", "nightly", "canary", "snapshot", "next"), -1),
    **dict.fromkeys(("post", "rev", "r", "hotfix", "patch", "p", "sp", "fix"), 1),
}  # fmt: skip
_END: Final = (0, 0)
_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class VersionRange:
    """What is known of a version: at least ``low``, at most ``high``; empty for no bound.

    With ``low_open`` and ``high_open`` the bound itself is left out. A proven version is both.
    """

    low: str = ""
    high: str = ""
    low_open: bool = False
    high_open: bool = False

    @classmethod
    def exactly(cls, version: str) -> VersionRange:
        """A version that is proven."""
        return cls(version, version)

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return bool(self.low or self.high)

    @property
    def proven(self) -> bool:
        """Whether it is one version."""
        return bool(self.low) and self.low == self.high


def is_version(text: str, scheme: Scheme) -> bool:
    """Whether a text is a version: not the name of a branch, a digest or a word."""
    return _key(text, scheme) is not None


def order(one: str, other: str, scheme: Scheme) -> int | None:
    """-1, 0 or 1: ``one`` is before, the same as or after ``other``; None if one is no version."""
    left, right = _key(one, scheme), _key(other, scheme)
    if left is None or right is None:
        return None
    return int(left > right) - int(left < right)


def holds(known: VersionRange, operator: str, bound: str, scheme: Scheme) -> bool | None:
    """Whether ``version operator bound`` holds; None where what is known does not decide it."""
    if not is_version(bound, scheme):
        return None
    if operator in ("=", "=="):
        return _equal(known, bound, scheme)
    if operator == "!=":
        same = _equal(known, bound, scheme)
        return None if same is None else not same
    if operator in ("<", "<="):
        below = _below(known, bound, scheme, or_equal=operator == "<=")
        return below
    above = _below(known, bound, scheme, or_equal=operator == ">")
    return None if above is None else not above


def _below(known: VersionRange, bound: str, scheme: Scheme, *, or_equal: bool) -> bool | None:
    if known.high:
        top = order(known.high, bound, scheme)
        if top is not None and (top < 0 or (top == 0 and (or_equal or known.high_open))):
            return True
    if known.low:
        bottom = order(known.low, bound, scheme)
        if bottom is not None and (
            bottom > 0 or (bottom == 0 and (not or_equal or known.low_open))
        ):
            return False
    return None


def _equal(known: VersionRange, bound: str, scheme: Scheme) -> bool | None:
    if known.proven:
        same = order(known.low, bound, scheme)
        return None if same is None else same == 0
    below = _below(known, bound, scheme, or_equal=False)
    not_above = _below(known, bound, scheme, or_equal=True)
    return False if below is True or not_above is False else None


@lru_cache(maxsize=65536)
def _key(text: str, scheme: Scheme) -> Any:
    if len(text) > _LENGTH:
        return None
    if scheme == "debian":
        return _debian(text)
    match = _VERSION.fullmatch(text.strip())
    if match is None or _is_digest(text):
        return None
    release = [int(one) for one in re.split(r"[._]", match[1])]
    while len(release) > 1 and not release[-1]:
        release.pop()
    return tuple(release), _stages(match[2], scheme)


def _stages(rest: str, scheme: Scheme) -> tuple[tuple[int, int], ...]:
    """What follows a release, as pairs (stage, number) that sort before or after the end."""
    found: list[tuple[int, int]] = []
    tokens = _TOKEN.findall(rest)
    at = 0
    while at < len(tokens):
        token = tokens[at].lower()
        at += 1
        if token == "+":
            break  # who built it, or when
        number = int(tokens[at][:18]) if at < len(tokens) and tokens[at].isdigit() else None
        if token.isdigit():
            # "-2" is a later fix by most, and a prerelease by Semantic Versioning (section 9).
            found.append((-1 if scheme == "semver" else 1, int(token[:18])))
        elif token in _STAGES:
            found.append((_STAGES[token], number or 0))
            at += number is not None
        else:
            break  # "stable", "lts", a digest: no order follows from it
    return (*found, _END)


def _is_digest(text: str) -> bool:
    return re.fullmatch(r"(?=[0-9]*[a-f])[0-9a-f]{7,64}", text) is not None


def _debian(text: str) -> Any:
    """A sort key by deb-version(7)."""
    match = _DEBIAN.fullmatch(text.strip())
    if match is None:
        return None
    return int(match[1] or 0), _debian_part(match[2]), _debian_part(match[3] or "0")


def _debian_part(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    parts = re.findall(r"([^0-9]*)([0-9]*)", text)
    keys = []
    for letters, digits in parts:
        # "~" sorts before the end of a part, letters before all else.
        weights = [-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256 for c in letters]
        keys.append(((*weights, 0), int(digits or 0)))
    return tuple(keys)
