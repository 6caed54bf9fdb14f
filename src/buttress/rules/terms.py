"""Terms: named groups of wordings that rules about texts combine.

A rule's ``terms`` lists combinations. One is met where all its terms stand in one sentence, in any
order; the first is the act, which words that govern it can negate. A term that "earlier" precedes
may stand some lines before, as the first step of a list does. A term may name others in
braces, so that a phrase is written once for all who may be its subject. Patterns are folded as the
texts are, look-alike letters and accents included.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from operator import itemgetter
from typing import Any, Final

import re2

from buttress.files import located_yaml
from buttress.files.located_yaml import Located
from buttress.rules.patterns import check_pattern, compiled, options
from buttress.rules.skeleton import skeleton

_REFERENCE: Final = re.compile(r"\{([a-z][a-z-]*)\}")
_REACH: Final = 320  # characters of a sentence that are looked at on each side of an act
_NEAR: Final = 160  # characters within which terms belong together
_BOUNDARY: Final = re.compile(r"[.!?]\s|[。！？]|\n")
_PASSAGE: Final = 500  # characters before a sentence that it may refer to
_ADDRESS: Final = re.compile(r"https?://[^\s?#()\[\]\"'`{}$<>]+")  # host and path
_HEADING: Final = re.compile(r"^#{1,6}\s", re.MULTILINE)
_MAX_DEPTH: Final = 6
_FEW_TEXTS: Final = 300
EARLIER: Final = "earlier "  # before the name of a term that may stand before the sentence
_FILES: Final = ("terms.yaml", "acts.yaml", "roles.yaml")


@cache
def names() -> frozenset[str]:
    """All terms."""
    return frozenset(_sources())


class Vocabulary:
    """Terms that rules name. All are looked for in one pass, once there are texts enough.

    To compile what finds all in one pass takes as long as to look for each in some hundred texts.
    """

    def __init__(self, wanted: Iterable[str]) -> None:
        self._wanted = sorted(set(wanted))
        self._texts = 0
        self._all: Any = None

    def absent(self, text: str) -> Container[str]:
        """Terms that surely don't stand in a folded text."""
        self._texts += 1
        if self._texts <= _FEW_TEXTS:
            return ()
        if self._all is None:
            self._all = re2.Set.SearchSet(options())
            for name in self._wanted:
                self._all.Add(_folded(name))
            self._all.Compile()
        found = {self._wanted[place] for place in self._all.Match(text) or ()}
        return frozenset(self._wanted) - found


class Wordings:
    """The terms of one text; each is looked for once, whatever the rules that name it.

    Terms in ``absent`` are not looked for.
    """

    def __init__(self, text: str, absent: Container[str] = ()) -> None:
        self._text = text
        self._absent = absent
        self._spans: dict[str, list[tuple[int, int]]] = {}

    @cached_property
    def _addresses(self) -> list[tuple[int, int]]:
        return [one.span() for one in _ADDRESS.finditer(self._text)]

    def _is_in_address(self, start: int) -> bool:
        """Whether something begins inside the host or path of an address, not where it begins."""
        place = bisect_left(self._addresses, start, key=itemgetter(0)) - 1
        return place >= 0 and start < self._addresses[place][1]

    def combinations(self, terms: Sequence[Sequence[str]]) -> Iterator[tuple[int, int, bool]]:
        """Where a combination of terms stands: start and end of each act, by the order of terms.

        The third is whether the terms stand far apart, as by chance in a long sentence.
        """
        for act, *others in terms:
            if act in self._absent:
                continue
            if not all(self._of(one.removeprefix(EARLIER)) for one in others):
                continue
            for start, end in self._of(act):
                first, last = _sentence(self._text, start, end) if others else (start, end)
                if all(self._stands(one, first, last) for one in others):
                    near = max(first, start - _NEAR), min(last, end + _NEAR)
                    yield start, end, not all(self._stands(one, *near) for one in others)

    def _stands(self, name: str, first: int, last: int) -> bool:
        """Whether a term stands in a sentence or, where the combination says so, before it."""
        if name.startswith(EARLIER):
            name, first = name.removeprefix(EARLIER), _passage(self._text, first)
        spans = self._of(name)
        place = bisect_right(spans, first, key=itemgetter(1))
        return place < len(spans) and spans[place][0] < last

    def _of(self, name: str) -> list[tuple[int, int]]:
        if name in self._absent:
            return []
        if name not in self._spans:
            found = [one.span() for one in pattern(name).finditer(self._text)]
            if found and self._addresses:  # a name of a page is no wording, and nothing to send
                found = [one for one in found if not self._is_in_address(one[0])]
            if found and (other := exception(name)) is not None:
                excepted = [one.span() for one in other.finditer(self._text)]
                found = [
                    (start, end)
                    for start, end in found
                    if not any(start < last and first < end for first, last in excepted)
                ]
            self._spans[name] = found
        return self._spans[name]


@cache
def pattern(name: str) -> Any:
    """The expression of a term, compiled. What ``exception`` finds is none.

    Raises:
        InputError: the file of terms is wrong there.
    """
    folded = _folded(name)
    check_pattern(_sources()[name], (name,), folded)
    return compiled(folded)


@cache
def exception(name: str) -> Any:
    """The expression of what is none of a term although its pattern is found there, or None.

    Raises:
        InputError: the file of terms is wrong there.
    """
    source = _sources()[name]
    given = source.data[name]
    if not isinstance(given, dict):
        return None
    folded = "(?i)" + skeleton(_filled(given["except"], 0, source))
    check_pattern(source, (name,), folded)
    return compiled(folded)


@cache
def _folded(name: str) -> str:
    """The expression of a term, as folded texts are written."""
    return "(?i)" + skeleton(_expanded(name, 0, _sources()[name]))


@cache
def _sources() -> Mapping[str, Located]:
    """The file that each term stands in."""
    found: dict[str, Located] = {}
    for name in _FILES:
        file = resources.files("buttress.rules") / name
        located = located_yaml.parse(file.read_text(encoding="utf-8"), name)
        for term in located.data:
            if term in found:
                raise located.error((term,), f"'{term}' is a term of another file")
            found[term] = located
    return found


def _expanded(name: str, depth: int, inside: Located) -> str:
    source = _sources().get(name)
    if source is None or depth > _MAX_DEPTH:
        raise inside.error((), f"'{name}' is no term that can be used there")
    given = source.data[name]
    given = given["is"] if isinstance(given, dict) else given
    wordings = given if isinstance(given, list) else [given]
    return f"(?:{'|'.join(_filled(text, depth, source) for text in wordings)})"


def _filled(text: str, depth: int, inside: Located) -> str:
    """A pattern with the terms that it names in braces."""
    return _REFERENCE.sub(lambda one: _expanded(one[1], depth + 1, inside), text)


def _passage(text: str, first: int) -> int:
    """Where the passage begins that a sentence goes on with: some lines, not past a heading."""
    start = max(0, first - _PASSAGE)
    for heading in _HEADING.finditer(text, start, first):
        start = heading.start()
    return start


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence begins and ends that holds an act."""
    first = max(0, start - _REACH)
    for boundary in _BOUNDARY.finditer(text, first, start):
        first = boundary.end()
    closing = _BOUNDARY.search(text, end, end + _REACH)
    return first, closing.start() if closing else min(len(text), end + _REACH)
