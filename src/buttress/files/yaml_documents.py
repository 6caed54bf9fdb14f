"""The documents of a YAML file, as plain data whose lines are known. Bounded, and never an object.

Anchors and merge keys are resolved; nodes and depth are capped, so that aliases can't expand
without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from buttress.errors import InputError
from buttress.files.located_yaml import FieldPath, Located, parse

MAX_BYTES: Final = 1 << 20
MAX_DOCUMENTS: Final = 5_000
_BOUNDARY: Final = re.compile(r"^---(?=[ \t\r]|$)", re.MULTILINE)


class LimitMet(str):
    """A problem that is a limit of the reader, and no fault of the file."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document: its data, and the lines of the whole file."""

    data: Any
    _located: Located
    _offset: int
    lines: list[str]

    def line(self, path: FieldPath = ()) -> int:
        """Line (from 1) of the key or value at ``path``, or of its nearest parent.

        What a merge key brings stands where the anchor is.
        """
        return (self._located.line(self._written(path)) or 1) + self._offset

    def _written(self, path: FieldPath) -> FieldPath:
        """The path with the merge keys by which its parts came."""
        known = self._located.lines
        place: FieldPath = ()
        for part in path:
            step = (*place, part)
            pending = [place] if step not in known else []
            while pending and step not in known:
                merged = (*pending.pop(), "<<")
                sources = [merged, *((*merged, index) for index in range(_MOST_SOURCES))]
                sources = [one for one in sources if one in known]
                step = next(((*one, part) for one in sources if (*one, part) in known), step)
                pending = [*reversed(sources), *pending]
            place = step
        return place

    def text_line(self, path: FieldPath) -> int:
        """Line of the first character of the text at ``path``; block scalars begin a line later."""
        line = self.line(path)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return line + 1 if re.search(r"[|>][-+0-9]{0,2}\s*(#.*)?$", text) else line


def documents(text: str, problems: list[str]) -> Iterator[YamlDocument]:
    """All documents of a file that are mappings or lists; why others are not goes to ``problems``.

    Documents are parsed one by one, so that a broken one does not hide the rest.
    """
    lines = text.split("\n")
    starts = [match.start() for match in _BOUNDARY.finditer(text)]
    bounds = [0, *starts, len(text)]
    for number, (start, end) in enumerate(pairwise(bounds)):
        if number >= MAX_DOCUMENTS:
            problems.append(LimitMet(f"more than {MAX_DOCUMENTS} documents; the rest"))
            return
        part = text[start:end]
        if part.startswith("---"):
            part = "   " + part[3:]
        if part.startswith("%"):
            part = re.sub(r"^%.*$", "", part, flags=re.MULTILINE)  # directives
        if not part.strip():
            continue
        offset = text.count("\n", 0, start)
        try:
            located = parse(part, "", duplicates=True)
            data = _merge(located.data, [_MERGES])
        except InputError as error:
            where = f"line {error.line + offset}: " if error.line else ""
            told = f"{where}{error.problem}"
            problems.append(LimitMet(told) if "nested too deeply" in told else told)
            continue
        except (KeyError, AttributeError, TypeError, IndexError):  # odd values of explicit tags
            problems.append("a value does not fit its tag")
            continue
        if isinstance(data, (dict, list)):
            yield YamlDocument(data, located, offset, lines)


_MOST_SOURCES: Final = 20  # mappings in a list behind a merge key of which lines are looked for
_MERGES: Final = 20_000  # keys that merging may add in one document


def _merge(value: Any, left: list[int]) -> Any:
    """The value with merge keys (``<<``) resolved; what a mapping has itself goes first."""
    if isinstance(value, list):
        return [_merge(one, left) for one in value]
    if not isinstance(value, dict):
        return value
    data = {key: _merge(one, left) for key, one in value.items() if key != "<<"}
    given = value.get("<<")
    for source in given if isinstance(given, list) else [given]:
        if isinstance(source, dict):
            merged = _merge(source, left)
            left[0] -= len(merged)
            if left[0] < 0:
                raise InputError("merge keys expand without end")
            data = {**merged, **data}
    return data
