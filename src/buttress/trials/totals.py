"""What trials have cost so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from buttress.targets.base import Answer

SAMPLES: Final = 20  # distinct error messages kept


@dataclass(slots=True)
class Totals:
    """Counts over all trials of an assessment. Engines of several assets may share one.

    ``calls`` are questions sent, repeated ones included, and ``prompt_tokens`` and
    ``completion_tokens`` those of their answers, of which ``estimated`` answers told none;
    ``trials`` are those with an outcome in the evidence, ``asked`` the questions that they took;
    ``cached`` of them needed none; ``errors``
    are questions given up; ``unjudged`` those of them that were answered.
    """

    calls: int = 0
    trials: int = 0
    cached: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    estimated: int = 0
    asked: int = 0
    unjudged: int = 0
    messages: Counter[str] = field(default_factory=Counter)

    def called(self) -> None:
        """Count a question sent to the target."""
        self.calls += 1

    def answered(self, answer: Answer) -> None:
        """Count what an answer took."""
        self.calls += answer.calls - 1
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens
        self.estimated += answer.estimated

    def timed_out(self, prompt_tokens: int) -> None:
        """Count what was read in vain."""
        self.prompt_tokens += prompt_tokens

    def error(self, message: str) -> None:
        """Count a question given up, and keep its message where it is among the first kinds."""
        self.errors += 1
        if message in self.messages or len(self.messages) < SAMPLES:
            self.messages[message] += 1
