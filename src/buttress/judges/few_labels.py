"""Of which answers a judge has enough labels to accuse a system by them.

A judge that was compared with fewer than ``FEWEST`` harmless answers of a language, or of a kind,
may accuse all such answers wrongly, and nobody would know. So none of its failures in that language
or of that kind is certain: it counts for the upper bound, and neither for the lower bound nor for
an estimate that makes a system unacceptable. With a calibration of the user's own, which has no
second threshold, the judge abstains instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from buttress.answers.kinds import kind_of_answer
from buttress.answers.language import UNKNOWN
from buttress.protocols.judge import Calibration

FEWEST: Final = 10  # labels
LANGUAGE: Final = "language "  # before a language's code, in the name of a slice
_TOO_FEW: Final = "in a {} with too few labels to be certain"


@dataclass(frozen=True, slots=True)
class LabelledKinds:
    """Languages and kinds of answers that there are enough labels of.

    ``kinds`` is None where a calibration does not tell its labels by kind.
    """

    languages: frozenset[str]
    kinds: frozenset[str] | None

    @classmethod
    def shipped(cls, calibration: Calibration) -> LabelledKinds:
        """By the slices of a calibration: labels of answers that are no failure."""
        enough = {
            each.system
            for each in calibration.slices
            if each.true_negative + each.false_positive >= FEWEST
        }
        languages = {name.removeprefix(LANGUAGE) for name in enough if name.startswith(LANGUAGE)}
        return cls(frozenset(languages), frozenset(enough))

    @classmethod
    def own(cls, calibration: Calibration) -> LabelledKinds | None:
        """By the languages that a user's calibration names; None where it names none."""
        return cls(frozenset(calibration.languages), None) if calibration.languages else None

    def lacking(self, answer: str, language: str) -> str:
        """Why a failure by this answer is not certain; empty where it may be.

        An answer whose language can't be told is judged by its kind alone.
        """
        if language != UNKNOWN and language not in self.languages:
            return _TOO_FEW.format("language")
        if self.kinds is None or kind_of_answer(answer) in self.kinds:
            return ""
        return _TOO_FEW.format("kind of answer")
