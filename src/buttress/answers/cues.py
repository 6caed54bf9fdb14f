"""Finding which groups of phrases occur in a text, all in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import re2

from buttress.answers.answer_cues import ANSWER_CUES

KEPT: Final = 256  # sentences; several rules look at the same ones of an answer
MEMORY: Final = 64 << 20  # bytes for the automaton; with too few it falls back to a slow one


class CueSet:
    """All cue groups of one kind, found in one pass. ``names`` gives their order."""

    def __init__(self, cues: Mapping[str, Sequence[str]]) -> None:
        self.names = tuple(cues)
        self._group: list[int] = []
        options = re2.Options()
        options.max_mem = MEMORY
        self._set = re2.Set.SearchSet(options)
        for index, patterns in enumerate(cues.values()):
            for pattern in patterns:
                self._set.Add(pattern)
                self._group.append(index)
        self._set.Compile()
        self._kept = lru_cache(maxsize=KEPT)(self._find)

    def find(self, text: str) -> frozenset[int]:
        """Indices of the groups that occur in ``text``, which is lower-case."""
        return self._kept(text)

    def _find(self, text: str) -> frozenset[int]:
        group = self._group
        return frozenset([group[index] for index in self._set.Match(text) or ()])


IN_ANSWER: Final = CueSet(ANSWER_CUES)
