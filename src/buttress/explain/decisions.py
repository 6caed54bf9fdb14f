"""What a target decides on a prompt and on the prompt without some of its words."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from buttress.explain.spans import PromptSpans
from buttress.protocols.judge import Judgement
from buttress.targets.base import Message


class ExplainedConversation(Protocol):
    """What an explanation may ask; each question counts once, however often it is put."""

    @property
    def left(self) -> int:
        """Questions to the target that may still be asked."""
        ...

    async def ask(self, messages: Sequence[Message], *, seed: int | None = None) -> str:
        """The target's answer.

        Raises:
            CallsSpentError: nothing is left.
            TargetError: no answer.
        """
        ...

    async def score(self, prompt: str, answer: str) -> Judgement:
        """The judge's decision on an answer.

        Raises:
            TargetError: it could not decide.
        """
        ...

    async def first_token(self, messages: Sequence[Message]) -> Mapping[str, float]:
        """Log probabilities, in nats, of the likeliest first tokens; empty where none are given.

        Raises:
            CallsSpentError: nothing is left.
            TargetError: no answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class PromptDecision:
    """An answer to ``prompt`` and its judgement."""

    prompt: str
    answer: str
    judgement: Judgement

    @property
    def failed(self) -> bool:
        """Whether the answer is a failure."""
        return self.judgement.outcome >= 0.5

    def differs(self, other: PromptDecision) -> bool:
        """Whether both are decided, and decided otherwise."""
        undecided = self.judgement.abstained or other.judgement.abstained
        return not undecided and self.failed != other.failed

    def agreement(self, base: PromptDecision) -> float:
        """The judge's probability, from 0 to 1, that this decision is that of ``base``."""
        score = self.judgement.score
        return score if base.failed else 1.0 - score


class AskedPrompt:
    """A prompt that a target is asked with and without some of its spans.

    Args:
        conversation: who is asked, who judges, and what is left of the budget.
        spans: the prompt.
        system_prompt: put before each question; empty for none.
        seed: of the first answer to a question; later ones have the next.
    """

    def __init__(
        self,
        conversation: ExplainedConversation,
        spans: PromptSpans,
        system_prompt: str = "",
        seed: int = 0,
    ) -> None:
        self._conversation = conversation
        self._seed = seed
        self._system = (Message("system", system_prompt),) if system_prompt else ()
        self.spans = spans

    @property
    def left(self) -> int:
        """Questions that may still be asked."""
        return self._conversation.left

    async def decide(self, removed: Collection[int] = (), *, again: int = 0) -> PromptDecision:
        """The decision without some spans; ``again`` numbers further answers to one question."""
        return await self._decided(self.spans.without(removed), again)

    async def decide_replaced(self, at: int, word: str, *, again: int = 0) -> PromptDecision:
        """The decision with a word in place of a span."""
        return await self._decided(self.spans.replaced(at, word), again)

    async def decide_all(self, removals: Sequence[Collection[int]]) -> list[PromptDecision]:
        """Decisions without each of several sets of spans, in their order."""
        return list(await asyncio.gather(*(self.decide(one) for one in removals)))

    async def first_tokens(self, removals: Sequence[Collection[int]]) -> list[Mapping[str, float]]:
        """The same for log probabilities of first tokens."""
        texts = [self.spans.without(one) for one in removals]
        asked = [self._conversation.first_token(self._messages(text)) for text in texts]
        return list(await asyncio.gather(*asked))

    async def _decided(self, text: str, again: int) -> PromptDecision:
        answer = await self._conversation.ask(self._messages(text), seed=self._seed + again)
        return PromptDecision(text, answer, await self._conversation.score(text, answer))

    def _messages(self, text: str) -> tuple[Message, ...]:
        return (*self._system, Message("user", text))
