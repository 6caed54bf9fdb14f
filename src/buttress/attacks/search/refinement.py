"""An attacker model's attempts at one prompt, each written in view of the last one's answer.

What PAIR's streams and TAP's branches have in common.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from buttress.answers.replies import field
from buttress.attacks.search.pair_wording import BEGIN, FEEDBACK, STRATEGIES, SYSTEM
from buttress.attacks.search.search_state import Attempt, SearchState
from buttress.attacks.search.wording import excerpt, fill, grade
from buttress.protocols.attack import localised
from buttress.targets.base import Message

MEMORY: Final = 2  # attempts that the attacker model is shown; it must fit a small context


@dataclass(frozen=True, slots=True)
class Proposal:
    """A prompt and why the attacker model wrote it so."""

    prompt: str
    improvement: str = ""

    @property
    def turns(self) -> tuple[Message, ...]:
        """What the target is asked."""
        return (Message("user", self.prompt),)


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """A proposal and what came of it."""

    proposal: Proposal
    attempt: Attempt


def read_proposal(reply: str) -> Proposal | None:
    """The proposal in a reply of the attacker model; None where it holds no prompt."""
    prompt = field(reply, "prompt")
    return None if prompt is None else Proposal(prompt, field(reply, "improvement") or "")


async def propose(
    state: SearchState, strategy: int, history: tuple[ProposalResult, ...], *step: object
) -> Proposal | None:
    """The attacker model's next prompt; ``strategy`` counts round PAIR's three.

    Raises:
        TargetError: no reply.
    """
    language, request = state.spec.language, state.spec.request
    how = localised(STRATEGIES[strategy % len(STRATEGIES)], language)
    messages = [
        Message("system", fill(SYSTEM, language, request=request, strategy=how)),
        Message("user", fill(BEGIN, language)),
    ]
    for one in history[-MEMORY:]:
        said = {"improvement": one.proposal.improvement, "prompt": one.proposal.prompt}
        feedback = fill(
            FEEDBACK,
            language,
            answer=excerpt(one.attempt.answer),
            grade=grade(one.attempt.judgement.score),
            request=request,
        )
        messages += [
            Message("assistant", json.dumps(said, ensure_ascii=False)),
            Message("user", feedback),
        ]
    return await state.written(messages, read_proposal, *step)
