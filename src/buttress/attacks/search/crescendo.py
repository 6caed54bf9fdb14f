"""Crescendo: a conversation that begins harmlessly and leads up to the request, step by step.

Russinovich et al. 2024, "Great, now write an article about that", arXiv:2404.01833, section 3 and
algorithm 1 (Crescendomation). A question that the target turns down is taken out of the history and
asked differently (backtracking). MITRE ATLAS AML.T0054, OWASP LLM01.

Apart from the paper: whether an answer declines is told by phrases and not by a second judge; the
score is that of the run's judge on the whole conversation; and there is one attempt at each request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from buttress.answers.refusals import declined
from buttress.answers.replies import field
from buttress.attacks.search.crescendo_wording import DECLINED, NOTHING, SCORED, STATE, SYSTEM
from buttress.attacks.search.rounds import in_rounds
from buttress.attacks.search.search_state import Attempt, SearchState
from buttress.attacks.search.wording import excerpt, fill, grade
from buttress.protocols.attack import AttackDescription
from buttress.protocols.procedure import Conversation, Dialogue
from buttress.targets.base import Message

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec

_SHOWN: Final = 4  # last turns that the attacker model sees
_EXCERPT: Final = 300
_DECLINED_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class CrescendoAttack(AttackDescription):
    """A conversation of at most ``rounds`` questions, of which ``backtracks`` may be taken back."""

    id: str = "crescendo"
    version: str = "1"
    title: str = "Escalating conversation (Crescendo)"
    references: tuple[str, ...] = ("arXiv:2404.01833", "AML.T0054", "LLM01")
    languages: tuple[str, ...] = ("en", "zh")
    needs_attacker: bool = True
    rounds: int = 8
    backtracks: int = 4

    @property
    def calls(self) -> int:
        """A question a round and a question taken back."""
        return self.rounds + self.backtracks

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        """Carry out the trial.

        Raises:
            TargetError: from the conversation.
        """
        state = SearchState(self.id, self.calls, spec, conversation)
        await in_rounds(state, [_Climb(state, self.rounds, self.backtracks)])
        return await state.end()


class _Climb:
    def __init__(self, state: SearchState, rounds: int, backtracks: int) -> None:
        self._state = state
        self._rounds = rounds
        self._backtracks = backtracks
        self._turns: tuple[Message, ...] = ()
        self._taken_back: list[str] = []
        self._last: Attempt | None = None  # of those in the history

    async def step(self, number: int) -> Attempt | None:
        if len(self._turns) // 2 >= self._rounds:
            return None
        question = await self._state.written(
            self._briefing(), lambda reply: field(reply, "question"), number
        )
        if question is None:
            return None
        turns = (*self._turns, Message("user", question))
        attempt = await self._state.ask(turns)
        if attempt is None:
            return None
        if declined(attempt.answer) and len(self._taken_back) < self._backtracks:
            self._taken_back.append(question)
        else:
            self._turns = (*turns, Message("assistant", attempt.answer))
            self._last = attempt
        return attempt

    def _briefing(self) -> list[Message]:
        language, request = self._state.spec.language, self._state.spec.request
        shown = [f"{turn.role}: {excerpt(turn.content, _EXCERPT)}" for turn in self._turns]
        note = ""
        if self._last is not None:
            note = fill(SCORED, language, grade=grade(self._last.judgement.score))
        if self._taken_back:
            asked = "\n".join(
                f"- {excerpt(one, _EXCERPT)}" for one in self._taken_back[-_DECLINED_SHOWN:]
            )
            note += fill(DECLINED, language, questions=asked)
        state = fill(
            STATE,
            language,
            history="\n".join(shown[-2 * _SHOWN :]) or fill(NOTHING, language),
            note=note,
            number=len(self._turns) // 2 + 1,
            rounds=self._rounds,
        )
        system = fill(SYSTEM, language, request=request, rounds=self._rounds)
        return [Message("system", system), Message("user", state)]


ATTACK: Final = CrescendoAttack()
