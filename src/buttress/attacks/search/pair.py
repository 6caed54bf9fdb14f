"""PAIR: an attacker model refines one prompt from the target's answers, in independent streams.

Chao et al. 2023, "Jailbreaking black box large language models in twenty queries",
arXiv:2310.08419, section 3 and algorithm 1. MITRE ATLAS AML.T0054, OWASP LLM01.

Apart from the paper: the score is that of the run's judge; the attacker model is shown its last two
attempts rather than all; it is not told how the answer should begin; and a stream takes the first
readable of three replies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from buttress.attacks.search.refinement import ProposalResult, propose
from buttress.attacks.search.rounds import in_rounds
from buttress.attacks.search.search_state import Attempt, SearchState
from buttress.protocols.attack import AttackDescription
from buttress.protocols.procedure import Conversation, Dialogue

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec


@dataclass(frozen=True, slots=True)
class PairAttack(AttackDescription):
    """``streams`` prompts side by side, each written ``depth`` times.

    Streams take turns in the three strategies: role-play, logical appeal, authority.
    """

    id: str = "pair"
    version: str = "1"
    title: str = "Iterative refinement by an attacker model (PAIR)"
    references: tuple[str, ...] = ("arXiv:2310.08419", "AML.T0054", "LLM01")
    languages: tuple[str, ...] = ("en", "zh")
    needs_attacker: bool = True
    streams: int = 4
    depth: int = 5

    @property
    def calls(self) -> int:
        """A question a prompt."""
        return self.streams * self.depth

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        """Carry out the trial.

        Raises:
            TargetError: from the conversation.
        """
        state = SearchState(self.id, self.calls, spec, conversation)
        await in_rounds(state, [_Stream(state, number) for number in range(self.streams)])
        return await state.end()


class _Stream:
    def __init__(self, state: SearchState, number: int) -> None:
        self._state = state
        self._number = number
        self._history: tuple[ProposalResult, ...] = ()

    async def step(self, number: int) -> Attempt | None:
        proposal = await propose(self._state, self._number, self._history, self._number, number)
        if proposal is None:
            return None
        attempt = await self._state.ask(proposal.turns)
        if attempt is not None:
            self._history = (*self._history, ProposalResult(proposal, attempt))
        return attempt


ATTACK: Final = PairAttack()
