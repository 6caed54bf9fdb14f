"""Versions as AI-Infra-Guard 4.6.7 compares them: normalised, then ordered as HashiCorp's
go-version 1.7 orders them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from buttress.probes.infrastructure.aig.expression import Expression, RuleComparison, evaluate

_TAIL: Final = re.compile(r"^(.*[0-9])-?([A-Za-z]+[0-9]*)$", re.S)
_DOT_LETTERS: Final = re.compile(r"\.[A-Za-z]+")
_LETTERS: Final = re.compile("[A-Za-z]+")
_VERSION: Final = re.compile(
    r"v?(?P<numbers>[0-9]+(?:\.[0-9]+)*?)"
    r"(?:-(?P<digit>[0-9]+[0-9A-Za-z\-~]*(?:\.[0-9A-Za-z\-~]+)*)"
    r"|-?(?P<letter>[A-Za-z\-~]+[0-9A-Za-z\-~]*(?:\.[0-9A-Za-z\-~]+)*))?"
    r"(?P<meta>\+[0-9A-Za-z\-~]+(?:\.[0-9A-Za-z\-~]+)*)?"
)
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_INT64: Final = 1 << 63
_HOLDS: Final[Mapping[str, Callable[[int], bool]]] = {
    "==": lambda order: order == 0,
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
    ">=": lambda order: order >= 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    "<": lambda order: order < 0,
}
LOCAL_NAMES: Final = ("127.0.0.1", "localhost")


class UnknownOperatorError(ValueError):
    """``~=`` compares no versions: the original ends with an error here."""


class GoVersion(NamedTuple):
    """Numbers (at least three), prerelease and the whole text of a version."""

    numbers: tuple[int, ...]
    prerelease: str
    text: str


_ZERO: Final = GoVersion((0, 0, 0), "", "0.0.0")


def fires(rule: Expression, version: str, url: str) -> bool:
    """Whether the rule of an advisory holds for a version of a product that answers at ``url``.

    Raises:
        UnknownOperatorError: the rule uses ``~=``.
    """

    def holds(one: RuleComparison) -> bool:
        if one.operator == "~=":
            raise UnknownOperatorError("'~=' compares no versions")
        if one.keyword == "is_internal":
            return not any(name in url for name in LOCAL_NAMES)
        return compares(version, one.operator, one.text)

    return evaluate(rule, holds)


@lru_cache(maxsize=65536)
def compares(version: str, operator: str, other: str) -> bool:
    """Whether ``version operator other`` holds."""
    return _HOLDS[operator](_order(parsed(normalised(version)), parsed(normalised(other))))


def normalised(version: str) -> str:
    """A version in the form in which it is parsed."""
    text = version.removeprefix("v")
    if text == "latest":
        return "999"
    tail = ""
    if match := _TAIL.match(text):
        text, tail = match[1], f"-{match[2]}"
    if _LETTERS.search(text):
        text = _LETTERS.sub("", _DOT_LETTERS.sub(".0", text))
    return (text or "0") + tail


@lru_cache(maxsize=65536)
def parsed(text: str) -> GoVersion:
    """The parts of a version; those of 0.0.0 where it is none."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return _ZERO
    numbers = tuple(map(int, match["numbers"].split(".")))
    if max(numbers) >= _INT64:
        return _ZERO
    numbers += (0,) * (3 - len(numbers))
    prerelease = match["letter"] or match["digit"] or ""
    shown = ".".join(map(str, numbers)) + (f"-{prerelease}" if prerelease else "")
    return GoVersion(numbers, prerelease, shown + (match["meta"] or ""))


def _order(one: GoVersion, other: GoVersion) -> int:
    if one.text == other.text:
        return 0
    if one.numbers == other.numbers:
        if not one.prerelease or not other.prerelease:
            return bool(other.prerelease) - bool(one.prerelease)
        return _order_prereleases(one.prerelease, other.prerelease)
    length = max(len(one.numbers), len(other.numbers))
    left = one.numbers + (0,) * (length - len(one.numbers))
    right = other.numbers + (0,) * (length - len(other.numbers))
    return (left > right) - (left < right)


def _order_prereleases(one: str, other: str) -> int:
    left, right = one.split("."), other.split(".")
    length = max(len(left), len(right))
    left += [""] * (length - len(left))
    right += [""] * (length - len(right))
    for own, theirs in zip(left, right, strict=True):
        if order := _order_parts(own, theirs):
            return order
    return 0


def _order_parts(one: str, other: str) -> int:
    """A missing part is below a number and above a text; numbers are below texts."""
    if one == other:
        return 0
    left, right = _number(one), _number(other)
    if not one:
        return -1 if right is not None else 1
    if not other:
        return 1 if left is not None else -1
    if left is None and right is None:
        return 1 if one.encode() > other.encode() else -1
    if left is None or right is None:
        return 1 if left is None else -1
    return 1 if left > right else -1


def _number(text: str) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if -_INT64 <= value < _INT64 else None
