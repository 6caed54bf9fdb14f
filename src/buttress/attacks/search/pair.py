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

from buttress.attacks.search.play import Play, Tried
from buttress.attacks.search.refinement import Attempt, propose
from buttress.attacks.search.rounds import in_rounds
from buttress.protocols.attack import Described
from buttress.protocols.procedure import Conversation, Dialogue

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec


@dataclass(frozen=True, slots=True)
class PairAttack(Described):
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
        play = Play(self.id, self.calls, spec, conversation)
        await in_rounds(play, [_Stream(play, number) for number in range(self.streams)])
        return await play.end()


class _Stream:
    def __init__(self, play: Play, number: int) -> None:
        self._play = play
        self._number = number
        self._history: tuple[Attempt, ...] = ()

    async def step(self, number: int) -> Tried | None:
        proposal = await propose(self._play, self._number, self._history, self._number, number)
        if proposal is None:
            return None
        tried = await self._play.ask(proposal.turns)
        if tried is not None:
            self._history = (*self._history, Attempt(proposal, tried))
        return tried


ATTACK: Final = PairAttack()
