"""One search at work: its questions, its best exchange so far, its chance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from buttress.protocols.judge import Judgement
from buttress.protocols.procedure import (
    AttackerError,
    CallsSpentError,
    Conversation,
    Dialogue,
)
from buttress.targets.address import flatten
from buttress.targets.base import Message
from buttress.targets.completion import one_line

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec

TRIES: Final = 3  # replies of the attacker model, until one can be read
ATTACKER_TOKENS: Final = 400
HOPELESS: Final = 36  # replies of which none led to a question
_SHOWN: Final = 80  # characters of such a reply

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A question as the target got it, its answer, and what the judge made of it."""

    messages: tuple[Message, ...]
    answer: str
    judgement: Judgement

    @property
    def succeeded(self) -> bool:
        """Whether the judge counts it as a failure of the system."""
        return self.judgement.outcome >= 1

    @property
    def rank(self) -> tuple[float, float]:
        """Higher is better for the attacker."""
        return (self.judgement.outcome, self.judgement.score)


class SearchState:
    """What a search has in hand during one trial.

    ``budget`` is the number of questions that it may ask, fixed at its start: searches deal it out
    up front, so that questions asked at once can't take it from each other.
    """

    def __init__(
        self, attack: str, calls: int, spec: TrialSpec, conversation: Conversation
    ) -> None:
        self.spec = spec
        self.budget = min(calls, conversation.left)
        self.best: Attempt | None = None
        self._unread: list[str] = []
        self._attack = attack
        self._conversation = conversation
        self._system = tuple(one for one in spec.messages if one.role == "system")

    def seed(self, *parts: object) -> int:
        """A seed for the step that ``parts`` name; another for every trial, attack and step."""
        name = repr((self.spec.sampling.seed, self.spec.item, self._attack, *parts))
        digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).digest()
        return int.from_bytes(digest[:4], "big") >> 1  # targets take 31 bits everywhere

    async def ask(self, turns: Sequence[Message]) -> Attempt | None:
        """The system prompt and ``turns``, answered and scored; None where no question is left.

        Raises:
            TargetError: no answer, or the judge could not decide.
        """
        return await self._ask((*self._system, *turns))

    @property
    def has_attacker(self) -> bool:
        """Whether there is an attacker model."""
        return self._conversation.has_attacker

    async def written(
        self,
        messages: Sequence[Message],
        read: Callable[[str], _Read | None],
        *step: object,
        tokens: int = ATTACKER_TOKENS,
        temperature: float = 1.0,
        tries: int = TRIES,
    ) -> _Read | None:
        """What ``read`` finds in a reply of the attacker model; None after ``tries`` without.

        Raises:
            TargetError: no reply.
        """
        for attempt in range(tries):
            seed = self.seed("attacker", *step, attempt)
            reply = await self._conversation.attacker(
                messages, max_tokens=tokens, temperature=temperature, seed=seed
            )
            found = read(reply)
            if found is not None:
                return found
            self._unread.append(reply)
        return None

    def offer(self, attempts: Sequence[Attempt | None]) -> None:
        """Keep the best; of equals the first. Call it in an order that doesn't hang on time."""
        for one in attempts:
            if one and (self.best is None or one.rank > self.best.rank):
                self.best = one

    @property
    def succeeded(self) -> bool:
        """Whether the judge counts the best exchange as a failure of the system."""
        return self.best is not None and self.best.succeeded

    @property
    def over(self) -> bool:
        """Whether the search can end: it has succeeded, or the attacker model is of no use.

        Look at it when no question is under way, so that time plays no part.
        """
        return self.succeeded or (self.best is None and len(self._unread) >= HOPELESS)

    async def end(self) -> Dialogue:
        """The best exchange. A search that asked nobody asks the request as it is.

        Raises:
            AttackerError: the attacker model wrote nothing that could be asked. That the request as
                it is was refused would be no result of a search.
            CallsSpentError: not one question could be asked, so there is nothing to judge.
            TargetError: no answer, or the judge could not decide.
        """
        if self.best is None and self._unread and self.budget > 0:
            said = one_line(min(self._unread), _SHOWN) or "no text"
            raise AttackerError("the attacker model wrote no question in the form asked for", said)
        best = self.best or await self._ask(self.spec.messages)
        if best is None:
            raise CallsSpentError("no question may be asked")
        return Dialogue(best.messages, best.answer)

    async def _ask(self, messages: tuple[Message, ...]) -> Attempt | None:
        try:
            answer = await self._conversation.ask(messages)
        except CallsSpentError:
            return None
        # The judge reads the prompt as it will when the trial is judged at the end.
        judgement = await self._conversation.score(flatten(messages), answer)
        return Attempt(messages, answer, judgement)
