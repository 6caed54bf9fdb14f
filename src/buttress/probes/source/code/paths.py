"""Globs over the paths of values, e.g. ``openai.*().chat.completions.create``.

A path says where a value comes from: the names that lead to it from an imported module, ``()``
after what was called, ``[key]`` or ``[]`` after what was indexed. Names that are not bound in the
module start with ``?``, names that the module defines with ``.``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, cached_property
from typing import Final

MAX_LENGTH: Final = 160  # characters of a path; longer ones are of no use to any rule
_GLOB: Final = re.compile(
    r"[?.]?(?:\*\*|[\w*]+)(?:\([\w*]*\)|\[[\w*]*\])*(?:\.[\w*]+(?:\([\w*]*\)|\[[\w*]*\])*)*"
)
_WORD: Final = re.compile(r"[A-Za-z_]\w+")
_CACHED: Final = 50_000


def is_glob(text: str) -> bool:
    """Whether ``text`` is a glob: ``*`` stands for a part of a name, ``**`` for any path."""
    return bool(_GLOB.fullmatch(text))


@cache
def _expression(glob: str) -> str:
    # "**." in front and in the middle: any number of names, whatever they are applied to.
    parts = []
    for piece in re.split(r"(\*\*\.|\*\*|\*)", glob):
        match piece:
            case "**.":
                parts.append(r"(?:.*\.)?")
            case "**":
                parts.append(".*")
            case "*":
                parts.append(r"[\w]*")
            case _:
                parts.append(re.escape(piece))
    return "".join(parts)


class GlobUnion:
    """Several globs as one."""

    def __init__(self, globs: Iterable[str]) -> None:
        self.globs = tuple(globs)
        self._known: dict[str, bool] = {}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_expression, self.globs)) or r"(?!)")

    def match(self, path: str) -> bool:
        """Whether one of them stands for the whole path."""
        if not path:
            return False
        known = self._known.get(path)
        if known is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            known = self._known[path] = bool(self._pattern.fullmatch(path))
        return known

    def last_names(self) -> set[str]:
        """Last names of the globs, without what follows; with ``*`` where they are open."""
        return {last_name(glob) for glob in self.globs}

    def words(self) -> list[frozenset[bytes]]:
        """For each glob, what a text must hold for it to match: words, and parts as ``*part*``."""
        return [_words(glob) for glob in self.globs]


def last_name(path: str) -> str:
    """The last name of a path: ``create`` in ``openai.OpenAI().chat.completions.create``."""
    return path.rpartition(".")[2].partition("(")[0].partition("[")[0]


def fragments(words: Iterable[bytes]) -> set[bytes]:
    """Those of ``words`` that are parts of words: written as ``*part*``."""
    return {one for one in words if b"*" in one}


def _words(glob: str) -> frozenset[bytes]:
    found = set()
    for piece in re.split(r"[.()\[\]?]+", glob.removeprefix("builtins.")):
        if "*" not in piece:
            found.update([piece] if _WORD.fullmatch(piece) else [])
        else:
            found.update(f"*{one}*" for one in piece.split("*") if len(one) > 2)
    return frozenset(one.encode() for one in found)
