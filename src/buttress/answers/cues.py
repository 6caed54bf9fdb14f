"""Finding which groups of phrases occur in a text, all in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import re2

from buttress.answers.answer_cues import ANSWER_CUES

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

    def find(self, text: str) -> set[int]:
        """Indices of the groups that occur in ``text``, which is lower-case."""
        group = self._group
        return {group[index] for index in self._set.Match(text) or ()}


IN_ANSWER: Final = CueSet(ANSWER_CUES)
