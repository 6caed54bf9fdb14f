"""Answers without text in a row: a server that has died may go on to answer with nothing.

A system that never said anything is no such server: it helps with nothing, so a verdict tells.
"""

from __future__ import annotations

from typing import Final

from buttress.answers.textless import CUT_REASONS
from buttress.targets.base import Answer

SILENT: Final = 10  # answers without text in a row, after which a harmless question tells
MOST_SILENT: Final = 160  # where that one had text: a system may say nothing to many prompts


def is_silent(answer: Answer) -> bool:
    """Whether an answer holds nothing at all, and nothing tells why."""
    return not (
        answer.text.strip()
        or answer.reasoning.strip()
        or answer.refused_by
        or answer.token_probabilities
        or answer.finish_reason in CUT_REASONS
    )


class Silence:
    """Counts answers without text in a row. ``mute``: a harmless question got none either."""

    def __init__(self) -> None:
        self.mute = False
        self._has_talked = False
        self._row = 0
        self._most = SILENT

    @property
    def doubtful(self) -> bool:
        """Whether a harmless question is to tell."""
        return self._has_talked and self._row > self._most and not self.mute

    def add(self, answer: Answer) -> None:
        """Count an answer, that to a harmless question aside."""
        if is_silent(answer):
            self._row += 1
        else:
            self._row, self.mute, self._has_talked = 0, False, True

    def settle(self, *, talks: bool) -> None:
        """The harmless question told. Where there is text, it is asked half as often from now."""
        self._row, self.mute = 0, not talks
        if talks:
            self._most = min(2 * self._most, MOST_SILENT)

    def __str__(self) -> str:
        """What is said of a target that is mute."""
        return f"more than {self._most} replies in a row held no text"
