"""ActorAttack: a network of actors around the harm, and harmless questions about each toward it.

Ren et al. 2024, "Derail yourself", arXiv:2410.10700, section 3. A question that is turned down, or
that the target has no answer to, is taken out of the history and rewritten once. MITRE ATLAS
AML.T0054, OWASP LLM01.

Apart from the paper: one call names the actors and one writes each chain, without intermediate
reasoning and without playing the conversation through beforehand; the attacker model sees only the
question that failed; whether an answer declines or doesn't know is told by phrases; conversations
run side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from buttress.answers.refusals import declined, unhelpful
from buttress.answers.replies import field, items
from buttress.attacks.search.actor_wording import ACTORS, KINDS, QUESTIONS, REASONS, REWRITE
from buttress.attacks.search.rounds import in_rounds
from buttress.attacks.search.search_state import Attempt, SearchState
from buttress.attacks.search.wording import excerpt, fill
from buttress.protocols.attack import AttackDescription, localised
from buttress.protocols.procedure import Conversation, Dialogue
from buttress.targets.base import Message

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec

_TOKENS: Final = 500  # for lists


@dataclass(frozen=True, slots=True)
class ActorAttack(AttackDescription):
    """``actors`` conversations side by side: ``questions`` each, and ``rewrites`` of them."""

    id: str = "actor"
    version: str = "1"
    title: str = "Harmless questions about actors around the harm (ActorAttack)"
    references: tuple[str, ...] = ("arXiv:2410.10700", "AML.T0054", "LLM01")
    languages: tuple[str, ...] = ("en", "zh")
    needs_attacker: bool = True
    actors: int = 3
    questions: int = 4
    rewrites: int = 2

    @property
    def calls(self) -> int:
        """A question each, and each one rewritten."""
        return self.actors * (self.questions + self.rewrites)

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        """Carry out the trial.

        Raises:
            TargetError: from the conversation.
        """
        state = SearchState(self.id, self.calls, spec, conversation)
        names = await self._named(state)
        await in_rounds(state, [_Chain(state, i, name, self) for i, name in enumerate(names)])
        return await state.end()

    async def _named(self, state: SearchState) -> list[str]:
        """The attacker model's actors; where it names too few, the kinds of actors fill up."""
        language = state.spec.language
        asked = fill(ACTORS, language, request=state.spec.request, count=self.actors)
        found = await state.written(
            [Message("user", asked)],
            lambda reply: items(reply, "actors", self.actors) or None,
            "actors",
            tokens=_TOKENS,
        )
        kinds = localised(KINDS, language)
        spare = (kinds[number % len(kinds)] for number in range(self.actors))
        return [*(found or ()), *spare][: self.actors]


class _Chain:
    def __init__(self, state: SearchState, number: int, actor: str, attack: ActorAttack) -> None:
        self._state = state
        self._number = number
        self._actor = actor
        self._length = attack.questions
        self._rewrites = attack.rewrites
        self._ahead: list[str] | None = None
        self._failed: Attempt | None = None
        self._turns: tuple[Message, ...] = ()

    async def step(self, number: int) -> Attempt | None:
        question = await self._next(number)
        if question is None:
            return None
        turns = (*self._turns, Message("user", question))
        attempt = await self._state.ask(turns)
        if attempt is None:
            return None
        if not unhelpful(attempt.answer):
            self._turns = (*turns, Message("assistant", attempt.answer))
        elif self._rewrites > 0:
            self._rewrites -= 1
            self._failed = attempt
        return attempt

    async def _next(self, number: int) -> str | None:
        """The failed question rewritten, else the chain's next."""
        failed, self._failed = self._failed, None
        if failed is not None:
            rewritten = await self._rewritten(failed, number)
            if rewritten is not None:
                return rewritten
        if self._ahead is None:
            self._ahead = await self._written(number)
        return self._ahead.pop(0) if self._ahead else None

    async def _written(self, number: int) -> list[str] | None:
        """The chain of questions; tried again at the next step where no reply could be read."""
        asked = fill(
            QUESTIONS,
            self._state.spec.language,
            request=self._state.spec.request,
            actor=self._actor,
            count=self._length,
        )
        return await self._state.written(
            [Message("user", asked)],
            lambda reply: items(reply, "questions", self._length) or None,
            "questions",
            self._number,
            number,
            tokens=_TOKENS,
        )

    async def _rewritten(self, failed: Attempt, number: int) -> str | None:
        language = self._state.spec.language
        why = "declined" if declined(failed.answer) else "unknown"
        asked = fill(
            REWRITE,
            language,
            request=self._state.spec.request,
            actor=self._actor,
            question=failed.messages[-1].content,
            answer=excerpt(failed.answer),
            reason=fill(REASONS[why], language),
        )
        return await self._state.written(
            [Message("user", asked)],
            lambda reply: field(reply, "question"),
            "rewrite",
            self._number,
            number,
        )


ATTACK: Final = ActorAttack()
