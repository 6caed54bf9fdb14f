"""Licence expressions: SPDX 2.3 annex D, and lists as metadata files have them.

An expression is a choice (``OR``) between sets of licences that hold together (``AND``). A licence
``WITH`` an exception is one name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from buttress.provenance.licences.facts import Licence, identify

MAX_LENGTH: Final = 1_000
_MAX_CHOICES: Final = 64
_TOKEN: Final = re.compile(r"\s*(\(|\)|[A-Za-z0-9.+:_-]+)")
_OPERATORS: Final = {"AND", "OR", "WITH"}


class ExpressionError(ValueError):
    """It is no licence expression."""


@dataclass(frozen=True)
class Declared:
    """A licence as something declares it: ``text`` there, ``source`` where that stands."""

    text: str
    source: str

    @cached_property
    def choices(self) -> tuple[tuple[Licence | None, ...], ...]:
        """Sets of licences to choose from; None stands for one that is not known."""
        whole = identify(self.text)
        if whole is not None:
            return ((whole,),)
        try:
            names = parse(self.text)
        except ExpressionError:
            return ((None,),)
        return tuple(tuple(identify(name) for name in one) for one in names)

    @property
    def known(self) -> bool:
        """Whether all of it is known."""
        return all(one is not None for choice in self.choices for one in choice)

    @property
    def shown(self) -> str:
        """As an SPDX expression where all of it is known, else as it was written."""
        if not self.known:
            return self.text
        sets = [" AND ".join(one.id for one in choice if one) for choice in self.choices]
        if len(sets) == 1:
            return sets[0]
        return " OR ".join(f"({one})" if " " in one else one for one in sets)


def parse(text: str) -> tuple[tuple[str, ...], ...]:
    """Names of licences: sets to choose from.

    Raises:
        ExpressionError: it is none, or it is longer than is read.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError("it is too long")
    tokens = _tokens(text)
    found, place = _either(tokens, 0, 0)
    if place != len(tokens):
        raise ExpressionError(f"'{tokens[place]}' is not expected")
    return found


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            if text[place:].strip():
                raise ExpressionError("it is no list of names")
            break
        tokens.append(match[1])
        place = match.end()
    return tokens


Choices = tuple[tuple[str, ...], ...]


def _either(tokens: list[str], place: int, depth: int) -> tuple[Choices, int]:
    found, place = _both(tokens, place, depth)
    while place < len(tokens) and tokens[place].upper() == "OR":
        more, place = _both(tokens, place + 1, depth)
        found += more
        if len(found) > _MAX_CHOICES:
            raise ExpressionError("it has too many choices")
    return found, place


def _both(tokens: list[str], place: int, depth: int) -> tuple[Choices, int]:
    found, place = _one(tokens, place, depth)
    while place < len(tokens) and tokens[place].upper() == "AND":
        more, place = _one(tokens, place + 1, depth)
        if len(found) * len(more) > _MAX_CHOICES:
            raise ExpressionError("it has too many choices")
        found = tuple((*left, *right) for left in found for right in more)
    return found, place


def _one(tokens: list[str], place: int, depth: int) -> tuple[Choices, int]:
    if place >= len(tokens) or depth > 20:
        raise ExpressionError("it breaks off")
    token = tokens[place]
    if token == "(":
        found, place = _either(tokens, place + 1, depth + 1)
        if place >= len(tokens) or tokens[place] != ")":
            raise ExpressionError("a bracket is not closed")
        return found, place + 1
    if token == ")" or token.upper() in _OPERATORS:
        raise ExpressionError(f"'{token}' is not expected")
    place += 1
    if place + 1 < len(tokens) and tokens[place].upper() == "WITH":
        exception = tokens[place + 1]
        if exception in "()" or exception.upper() in _OPERATORS:
            raise ExpressionError(f"'{exception}' is no exception")
        token, place = f"{token} WITH {exception}", place + 2
    return ((token,),), place
