"""Terms: named groups of wordings that rules about texts combine.

A rule's ``terms`` lists combinations. One is met where all its terms stand in one sentence, in any
order; the first is the act, which words that govern it can negate. A term may name others in
braces, so that a phrase is written once for all who may be its subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from buttress.files import located_yaml
from buttress.files.located_yaml import Located
from buttress.rules.patterns import check_pattern, compiled

_REFERENCE: Final = re.compile(r"\{([a-z][a-z-]*)\}")
_REACH: Final = 320  # characters of a sentence that are looked at on each side of an act
_BOUNDARY: Final = re.compile(r"[.!?]\s|[。！？]|\n")
_MAX_DEPTH: Final = 6


@cache
def names() -> frozenset[str]:
    """All terms."""
    return frozenset(_source().data)


def combinations(text: str, terms: Sequence[Sequence[str]]) -> Iterator[tuple[int, int]]:
    """Where a combination of terms stands: start and end of each act, in the order of the terms."""
    for act, *others in terms:
        for match in pattern(act).finditer(text):
            start, end = match.span()
            if others:
                first, last = _sentence(text, start, end)
                words = text[first:last]
                if not all(pattern(one).search(words) for one in others):
                    continue
            yield start, end


@cache
def pattern(name: str) -> Any:
    """The expression of a term, compiled.

    Raises:
        InputError: the file of terms is wrong there.
    """
    source = _source()
    text = "(?i)" + _expanded(source, name, 0)
    check_pattern(source, (name,), text)
    return compiled(text)


@cache
def _source() -> Located:
    file = resources.files("buttress.rules") / "terms.yaml"
    return located_yaml.parse(file.read_text(encoding="utf-8"), "terms.yaml")


def _expanded(source: Located, name: str, depth: int) -> str:
    if name not in source.data or depth > _MAX_DEPTH:
        raise source.error((name,), f"'{name}' is no term that can be used there")
    given = source.data[name]
    wordings = given if isinstance(given, list) else [given]
    expanded = (
        _REFERENCE.sub(lambda one: _expanded(source, one[1], depth + 1), text) for text in wordings
    )
    return f"(?:{'|'.join(expanded)})"


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence begins and ends that holds an act."""
    first = max(0, start - _REACH)
    for boundary in _BOUNDARY.finditer(text, first, start):
        first = boundary.end()
    closing = _BOUNDARY.search(text, end, end + _REACH)
    return first, closing.start() if closing else min(len(text), end + _REACH)
