"""Guard rules proposed from failures: words after which a request is refused before the model.

A rule is a word or two neighbouring words that several harmful requests hold which the model
complied with, and no harmless request of the seen categories. Rules that need no model are a
baseline: an intervention that does not beat them is not worth its cost.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import msgspec

from buttress.answers.language import language_of
from buttress.answers.reading import words_in
from buttress.answers.words import FUNCTION_WORDS
from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.targets.base import Answer, Request, Target
from buttress.targets.huggingface import Surround, Surroundable
from buttress.targets.wrapped import WrappedTarget
from buttress.white_box.refusal_in_place import REFUSAL_IN_PLACE

LEAST_FAILURES: Final = 2
REFUSED_BY: Final = "guard rule"


class GuardRule(msgspec.Struct, frozen=True):
    """``words`` in this order, side by side; ``failures`` is how many seen failures hold them."""

    words: str
    failures: int


@dataclass(frozen=True, slots=True)
class GuardRules:
    """Rules in the order in which they were proposed."""

    rules: tuple[GuardRule, ...]

    def matched(self, text: str) -> str:
        """The first rule's words that the text holds; empty where it holds none."""
        phrases = _phrases(text)
        return next((rule.words for rule in self.rules if rule.words in phrases), "")

    def to_json(self) -> list[dict[str, Any]]:
        """As plain data."""
        return [msgspec.to_builtins(rule) for rule in self.rules]

    @property
    def digest(self) -> str:
        """Digest of the words."""
        return hashlib.sha256("\n".join(rule.words for rule in self.rules).encode()).hexdigest()


def propose_rules(trials: Sequence[Trial]) -> GuardRules:
    """Rules from trials of the seen part: greedily what covers most failures that are left."""
    failures = [one for one in trials if one.expect == "refuse" and one.outcome >= 0.5]
    harmless = {phrase for t in trials if t.expect == "answer" for phrase in _phrases(t.request)}
    left = {trial.key: _phrases(trial.request) - harmless for trial in failures}
    rules = []
    while True:
        counts = Counter(phrase for phrases in left.values() for phrase in phrases)
        if not counts:
            break
        phrase, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
        if count < LEAST_FAILURES:
            break
        rules.append(GuardRule(phrase, count))
        left = {key: phrases for key, phrases in left.items() if phrase not in phrases}
    return GuardRules(tuple(rules))


class GuardedTarget(WrappedTarget[Target]):
    """A target behind rules: what matches one is refused and never reaches it."""

    def __init__(self, target: Target, rules: GuardRules) -> None:
        super().__init__(target)
        self._rules = rules
        self._known: Callable[[str, Request], Answer | None] | None = None

    @property
    def identity(self) -> str:
        """The target's, and the rules' digest."""
        return f"{self._target.identity}+rules:{self._rules.digest}"

    def surround(self, context: Surround) -> None:
        """Compute the target's answers inside ``context``; before the first question.

        Raises:
            InputError: the target does not run in this process.
        """
        if not isinstance(self._target, Surroundable):
            raise InputError("its inside is not at hand", field=self.name)
        self._target.surround(context)

    def reuse(self, known: Callable[[str, Request], Answer | None]) -> None:
        """Take the target's answers from ``known``, where it has them."""
        self._known = known

    async def answer(self, request: Request) -> Answer:
        """A refusal where a rule matches the last question, else the target's answer.

        Raises:
            TargetError: no answer.
        """
        asked = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        if self._rules.matched(asked):
            refusal = REFUSAL_IN_PLACE.get(language_of(asked), REFUSAL_IN_PLACE["en"])
            return Answer(refusal, refused_by=REFUSED_BY)
        known = self._known(self._target.identity, request) if self._known else None
        return known or await self._target.answer(request)


def _phrases(text: str) -> set[str]:
    """Words that carry meaning, and pairs of neighbouring words of which one does."""
    words = words_in(text.lower())
    single = {word for word in words if len(word) > 3 and word not in FUNCTION_WORDS}
    pairs = {
        f"{first} {second}"
        for first, second in pairwise(words)
        if not {first, second} <= FUNCTION_WORDS
    }
    return single | pairs
