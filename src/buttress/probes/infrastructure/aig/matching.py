"""Whether an answer matches an expression, exactly as AI-Infra-Guard reads it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any

import re2

from buttress.probes.infrastructure.aig.expression import (
    ORDERING,
    Expression,
    RuleComparison,
    comparisons,
    evaluate,
)
from buttress.probes.infrastructure.aig.texts import lower
from buttress.rules.patterns import options


class UndefinedComparisonError(ValueError):
    """An operator that has no meaning for a text: the original ends with an error here."""


@dataclass(frozen=True)
class MatchSubject:
    """What expressions are asked about: texts of one answer, and the icon's number."""

    body: str
    header: str
    icon: int = 0
    raw: bytes | None = None

    @cached_property
    def body_lower(self) -> str:
        """The body as it is compared."""
        return lower(self.body)

    @cached_property
    def header_lower(self) -> str:
        """The headers as they are compared."""
        return lower(self.header)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the raw body, hex."""
        return sha256(self.raw if self.raw is not None else self.body.encode()).hexdigest()

    def text(self, keyword: str) -> str:
        """The text that a keyword stands for, in lower case."""
        if keyword == "body":
            return self.body_lower
        if keyword == "header":
            return self.header_lower
        return str(self.icon) if keyword == "icon" else self.digest


def matches(expression: Expression, subject: MatchSubject) -> bool:
    """Whether an expression of a fingerprint holds.

    Raises:
        UndefinedComparisonError: an ordering operator had to be evaluated.
    """
    return evaluate(expression, lambda one: _holds(one, subject))


def check_patterns(expression: Expression) -> None:
    """Compile all regular expressions.

    Raises:
        ValueError: one is not a regular expression of RE2.
    """
    for one in comparisons(expression):
        if one.operator == "~=":
            compiled(one.text)


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """A regular expression in the syntax of RE2.

    Raises:
        ValueError: it is none.
    """
    try:
        return re2.compile(pattern, options())
    except re2.error as error:
        told = error.args[0] if error.args else ""
        shown = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        raise ValueError(f"not a regular expression: {shown}") from None


@lru_cache(maxsize=8192)
def _lowered(text: str) -> str:
    return lower(text)


def _holds(one: RuleComparison, subject: MatchSubject) -> bool:
    if one.operator in ORDERING:
        raise UndefinedComparisonError(f"'{one.operator}' does not compare texts")
    text = subject.text(one.keyword)
    if one.operator == "~=":
        return compiled(one.text).search(text) is not None
    wanted = _lowered(one.text)
    if one.operator == "==":
        return text == wanted
    return (wanted in text) is (one.operator == "=")
