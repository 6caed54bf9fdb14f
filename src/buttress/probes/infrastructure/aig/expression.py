"""Expressions of AI-Infra-Guard's rules: parsed once, then asked about answers and versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Keyword = Literal["body", "header", "icon", "hash", "version", "is_internal"]
FINGERPRINT: Final[tuple[Keyword, ...]] = ("body", "header", "icon", "hash")
ADVISORY: Final[tuple[Keyword, ...]] = ("version", "is_internal")
ORDERING: Final = frozenset((">=", "<=", ">", "<"))
# In the order in which the original tries them; "||" and "&&" are no comparison.
_OPERATORS: Final = ("==", "=", "~=", "!=", ">=", "<=", ">", "<")
_SPACE: Final = " \t\r\n"
_MAX_DEPTH: Final = 100


class RuleExpressionError(ValueError):
    """The text is no expression; the message says where."""


@dataclass(frozen=True, slots=True)
class RuleComparison:
    """``keyword operator "text"``.

    ``text`` is what the original compares with: every backslash is dropped and the character behind
    it kept. ``raw`` is the text between the quotation marks as it was written.
    """

    keyword: Keyword
    operator: str
    text: str
    raw: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Parts with ``&&`` or ``||`` between them, without precedence: evaluated left to right."""

    parts: tuple[Expression, ...]
    joints: tuple[str, ...]


Expression = RuleComparison | Chain


def parse(text: str, keywords: Sequence[Keyword]) -> Expression:
    """Parse a matcher (``FINGERPRINT`` keywords) or a rule of an advisory (``ADVISORY``).

    Raises:
        ExpressionError: it is none.
    """
    parser = _Parser(text, keywords)
    expression = parser.chain(0)
    if parser.place < len(text):
        raise RuleExpressionError(f"nothing may follow the expression, at {parser.place + 1}")
    return expression


def evaluate(expression: Expression, holds: Callable[[RuleComparison], bool]) -> bool:
    """Whether an expression is true; a side that no longer matters is not asked about."""
    if isinstance(expression, RuleComparison):
        return holds(expression)
    value = evaluate(expression.parts[0], holds)
    for joint, part in zip(expression.joints, expression.parts[1:], strict=True):
        if value is (joint == "&&"):
            value = evaluate(part, holds)
    return value


def comparisons(expression: Expression) -> list[RuleComparison]:
    """All comparisons of an expression, in the order in which they stand."""
    if isinstance(expression, RuleComparison):
        return [expression]
    return [one for part in expression.parts for one in comparisons(part)]


class _Parser:
    def __init__(self, text: str, keywords: Sequence[Keyword]) -> None:
        self.text, self.keywords, self.place = text, keywords, 0
        self._skip()

    def chain(self, depth: int) -> Expression:
        if depth > _MAX_DEPTH:
            raise RuleExpressionError(f"more than {_MAX_DEPTH} brackets inside one another")
        parts = [self._primary(depth)]
        joints: list[str] = []
        while self.text.startswith(("&&", "||"), self.place):
            joints.append(self.text[self.place : self.place + 2])
            self._forward(2)
            parts.append(self._primary(depth))
        return Chain(tuple(parts), tuple(joints)) if joints else parts[0]

    def _primary(self, depth: int) -> Expression:
        if self.text.startswith("(", self.place):
            self._forward(1)
            inner = self.chain(depth + 1)
            if not self.text.startswith(")", self.place):
                raise RuleExpressionError(f"a bracket is not closed, at {self.place + 1}")
            self._forward(1)
            return inner
        # Keywords are case-sensitive prefixes: what follows one need not be apart from it.
        keyword = next(
            (one for one in self.keywords if self.text.startswith(one, self.place)), None
        )
        if keyword is None:
            wanted = ", ".join(self.keywords)
            raise RuleExpressionError(f"expected one of {wanted} or a bracket, at {self.place + 1}")
        self._forward(len(keyword))
        operator = next((one for one in _OPERATORS if self.text.startswith(one, self.place)), None)
        if operator is None:
            raise RuleExpressionError(f"expected an operator, at {self.place + 1}")
        self._forward(len(operator))
        return RuleComparison(keyword, operator, *self._quoted())

    def _quoted(self) -> tuple[str, str]:
        if not self.text.startswith('"', self.place):
            raise RuleExpressionError(f"expected a quotation mark, at {self.place + 1}")
        start = place = self.place + 1
        kept: list[str] = []
        while place < len(self.text) and self.text[place] != '"':
            if self.text[place] == "\\":
                place += 1
                if place == len(self.text):
                    break
            kept.append(self.text[place])
            place += 1
        if place >= len(self.text):
            raise RuleExpressionError(f"a text is not closed, at {start}")
        raw = self.text[start:place]
        self.place = place
        self._forward(1)
        return "".join(kept), raw

    def _forward(self, count: int) -> None:
        self.place += count
        self._skip()

    def _skip(self) -> None:
        while self.place < len(self.text) and self.text[self.place] in _SPACE:
            self.place += 1
