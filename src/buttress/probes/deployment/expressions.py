"""Expressions of GitHub Actions: which contexts' values end up in the text that they stand in.

The grammar is that of "Evaluate expressions in workflows and actions": ``||`` and ``&&`` give one
of their operands, comparisons and tests give a truth value, ``format``, ``join`` and ``toJSON``
hand their arguments on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>[+-]?(?:0x[0-9A-Fa-f]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))|"
    r"(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<sign>\|\||&&|==|!=|<=|>=|[!<>()\[\],.*]))"
)
_REFERENCE: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w*-]+)+")
_MAX_DEPTH: Final = 50
_TESTS: Final = {
    "contains", "startswith", "endswith", "hashfiles", "success", "always", "cancelled", "failure",
}  # fmt: skip
_LITERALS: Final = {"true", "false", "null", "nan", "infinity"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that is handed on: its path in lower case; ``whole`` where all below comes along."""

    path: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """One ``${{ … }}``: where it begins in the text, what it reads, and what it hands on."""

    start: int
    source: str
    references: tuple[Reference, ...]


def expressions(text: str) -> Iterator[Expression]:
    """All expressions in a text, in order; one without an end reaches to the end of the text."""
    place = 0
    while (start := text.find("${{", place)) >= 0:
        end = _end(text, start + 3)
        source = text[start + 3 : end]
        yield Expression(start, source.strip(), references(source))
        place = end + 2


def references(source: str) -> tuple[Reference, ...]:
    """What an expression hands on; of one that does not parse, all that it names."""
    try:
        return tuple(dict.fromkeys(_Parser(source).whole()))
    except _SyntaxError:
        bare = re.sub(r"'[^']*'", "", re.sub(r"\[\s*'([\w-]+)'\s*\]", r".\1", source))
        return tuple(Reference(one.lower(), whole=True) for one in _REFERENCE.findall(bare))


def _end(text: str, place: int) -> int:
    """Where ``}}`` ends an expression; not in a text in quotes."""
    quoted = False
    while place < len(text):
        if text[place] == "'":
            quoted = not quoted
        elif not quoted and text.startswith("}}", place):
            return place
        place += 1
    return len(text)


class _SyntaxError(ValueError):
    pass


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place, source = 0, source.rstrip()
        while place < len(source):
            match = _TOKEN.match(source, place)
            if match is None or match.lastgroup is None:
                raise _SyntaxError
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        self._place = 0

    def whole(self) -> list[Reference]:
        found = self._either(0)
        if self._place != len(self._tokens):
            raise _SyntaxError
        return found

    def _peek(self) -> str:
        kind, text = self._tokens[self._place] if self._place < len(self._tokens) else ("", "")
        return text if kind in ("sign", "name") else f"{kind}:"

    def _take(self, *signs: str) -> bool:
        if self._peek() in signs:
            self._place += 1
            return True
        return False

    def _either(self, depth: int) -> list[Reference]:
        if depth > _MAX_DEPTH:
            raise _SyntaxError
        found = self._both(depth)
        while self._take("||"):
            found += self._both(depth)
        return found

    def _both(self, depth: int) -> list[Reference]:
        found = self._compared(depth)
        while self._take("&&"):  # of the left side only what counts as false is handed on
            found = self._compared(depth)
        return found

    def _compared(self, depth: int) -> list[Reference]:
        found = self._unary(depth)
        while self._take("==", "!=", "<", ">", "<=", ">="):
            self._unary(depth)
            found = []
        return found

    def _unary(self, depth: int) -> list[Reference]:
        negated = False
        while self._take("!"):
            negated = True
        found = self._primary(depth)
        return [] if negated else found

    def _primary(self, depth: int) -> list[Reference]:
        if self._place >= len(self._tokens):
            raise _SyntaxError
        kind, text = self._tokens[self._place]
        self._place += 1
        if kind in ("text", "number"):
            return []
        if text == "(":
            found = self._either(depth + 1)
            if not self._take(")"):
                raise _SyntaxError
            return self._below(found, depth)
        if kind != "name":
            raise _SyntaxError
        if self._take("("):
            return self._below(self._call(text.lower(), depth), depth)
        if text.lower() in _LITERALS:
            return []
        return self._below([Reference(text.lower())], depth)

    def _call(self, name: str, depth: int) -> list[Reference]:
        found: list[Reference] = []
        while not self._take(")"):
            found += self._either(depth + 1)
            if not self._take(",") and self._peek() != ")":
                raise _SyntaxError
        if name in _TESTS:
            return []
        # An object is written out only by these; elsewhere it reads "Object".
        whole = name in ("tojson", "join")
        return [Reference(one.path, whole or one.whole) for one in found]

    def _below(self, found: list[Reference], depth: int) -> list[Reference]:
        """``.name``, ``['name']``, ``[0]`` and ``.*`` after a value."""
        while True:
            if self._take("."):
                kind, text = (
                    self._tokens[self._place] if self._place < len(self._tokens) else ("", "")
                )
                if kind != "name" and text != "*":
                    raise _SyntaxError
                self._place += 1
                key = text.lower()
            elif self._take("["):
                kind, text = (
                    self._tokens[self._place] if self._place < len(self._tokens) else ("", "")
                )
                if kind == "text" and self._tokens[self._place + 1 : self._place + 2] == [
                    ("sign", "]")
                ]:
                    self._place += 2
                    key = text[1:-1].lower()
                elif self._take("*"):
                    key = "*"
                    if not self._take("]"):
                        raise _SyntaxError
                else:
                    self._either(depth + 1)
                    key = "*"
                    if not self._take("]"):
                        raise _SyntaxError
            else:
                return found
            found = [Reference(f"{one.path}.{key}", one.whole) for one in found]
