"""Trials that take several questions: searches for an attack, conversations, agents with tools.

A procedure only ever talks through its ``Conversation``. Every answer that it gets there is kept as
evidence, so a run that was cut off takes the same way again without asking twice. For that the
same answers must lead to the same questions: chance comes from seeds, never from the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from buttress.protocols.judge import Judgement
from buttress.targets.base import Message, TargetError

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec


class CallsSpentError(Exception):
    """A procedure asked for more than the questions that it may ask."""


class AttackerError(TargetError):
    """The attacker model gave nothing that can be asked, which says nothing of the target.

    ``said`` is the beginning of what it wrote instead, where it answered.
    """

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message, retry=False)
        self.said = said


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How a procedure ended: the turns last sent to the target, and the text to be judged.

    ``text`` is the target's answer to ``messages``, or for an agent the whole transcript.
    """

    messages: tuple[Message, ...]
    text: str


class Conversation(Protocol):
    """What a procedure may do. Safe for several questions at once (``asyncio.gather``)."""

    @property
    def left(self) -> int:
        """Questions to the target that may still be asked."""
        ...

    @property
    def has_attacker(self) -> bool:
        """Whether there is an attacker model."""
        ...

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> str:
        """The target's answer; None takes the trial's sampling.

        Two questions with the same messages and sampling are one question with one answer: give
        them different seeds where another sample is wanted.

        Raises:
            CallsSpentError: nothing is left.
            TargetError: no answer in spite of repeated attempts. Let it pass: the engine counts it.
        """
        ...

    async def attacker(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 400,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> str:
        """The attacker model's answer.

        Raises:
            AttackerError: no answer. Let it pass: the engine counts it.
        """
        ...

    async def score(self, prompt: str, answer: str) -> Judgement:
        """The run's judge on an answer to the trial's request; ``prompt`` is what was asked.

        Raises:
            TargetError: it could not decide.
        """
        ...


class Procedure(Protocol):
    """Carries out trials of several questions. One object serves all trials: no state in it."""

    @property
    def id(self) -> str:
        """Name, unique among procedures."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever results may change."""
        ...

    @property
    def calls(self) -> int:
        """Questions to the target that a trial may take at most."""
        ...

    @property
    def needs_attacker(self) -> bool:
        """Whether it can't do without ``Conversation.attacker``."""
        ...

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        """Carry out the trial.

        ``spec.messages`` are its opening (the system prompt, where there is one, and the request),
        ``spec.request`` the request itself, ``spec.sampling.seed`` the seed of all chance.

        Raises:
            TargetError: from the conversation.
            AttackerError: the attacker model wrote nothing that could be asked.
        """
        ...
