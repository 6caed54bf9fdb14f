"""GOAT: an agent with a toolbox of techniques that thinks before each turn of a conversation.

Pavlova et al. 2024, "Automated red teaming with GOAT", arXiv:2410.01606, section 3. MITRE ATLAS
AML.T0054, OWASP LLM01.

Apart from the paper: conversations run side by side and end at the first success, where the paper
plays all of them and judges afterwards; the agent sees its last two turns in full, and before
these nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from buttress.answers.replies import cleaned, section
from buttress.attacks.search.goat_wording import FIRST, NEXT, REPLY, SYSTEM, THINKING
from buttress.attacks.search.rounds import in_rounds
from buttress.attacks.search.search_state import Attempt, SearchState
from buttress.attacks.search.wording import excerpt, fill
from buttress.protocols.attack import AttackDescription
from buttress.protocols.procedure import Conversation, Dialogue
from buttress.targets.base import Message

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec

_MEMORY: Final = 2  # turns that the attacker model sees
_THOUGHTS: Final = 1_500  # characters of its own words that it sees


@dataclass(frozen=True, slots=True)
class GoatAttack(AttackDescription):
    """``streams`` conversations side by side, each of ``turns`` turns."""

    id: str = "goat"
    version: str = "1"
    title: str = "Agent with a toolbox of techniques (GOAT)"
    references: tuple[str, ...] = ("arXiv:2410.01606", "AML.T0054", "LLM01")
    languages: tuple[str, ...] = ("en", "zh")
    needs_attacker: bool = True
    streams: int = 4
    turns: int = 5

    @property
    def calls(self) -> int:
        """A question a turn."""
        return self.streams * self.turns

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        """Carry out the trial.

        Raises:
            TargetError: from the conversation.
        """
        state = SearchState(self.id, self.calls, spec, conversation)
        await in_rounds(state, [_Agent(state, i, self.turns) for i in range(self.streams)])
        return await state.end()


@dataclass(frozen=True, slots=True)
class _Turn:
    thoughts: str
    message: str
    answer: str


def read_turn(reply: str) -> tuple[str, str] | None:
    """All that the agent wrote, and the message in it; None where it holds no message."""
    message = section(reply, REPLY, THINKING)
    thoughts = cleaned(reply[:_THOUGHTS])
    return None if message is None or thoughts is None else (thoughts, message)


class _Agent:
    def __init__(self, state: SearchState, number: int, turns: int) -> None:
        self._state = state
        self._number = number
        self._most = turns
        self._said: list[_Turn] = []

    async def step(self, number: int) -> Attempt | None:
        found = await self._state.written(self._briefing(), read_turn, self._number, number)
        if found is None:
            return None
        thoughts, message = found
        turns = [
            turn
            for one in self._said
            for turn in (Message("user", one.message), Message("assistant", one.answer))
        ]
        attempt = await self._state.ask([*turns, Message("user", message)])
        if attempt is not None:
            self._said.append(_Turn(thoughts, message, attempt.answer))
        return attempt

    def _briefing(self) -> list[Message]:
        language, request = self._state.spec.language, self._state.spec.request
        system = fill(SYSTEM, language, request=request, turns=self._most)
        messages = [Message("system", system), Message("user", fill(FIRST, language))]
        start = max(0, len(self._said) - _MEMORY)
        for number, one in enumerate(self._said[start:], start + 2):
            after = fill(
                NEXT,
                language,
                answer=excerpt(one.answer),
                request=request,
                number=number,
                turns=self._most,
            )
            messages += [Message("assistant", one.thoughts), Message("user", after)]
        return messages


ATTACK: Final = GoatAttack()
