"""In-context attack: real chat turns in which the assistant complies precede the request.

Wei et al. 2023, "Jailbreak and guard aligned language models with only few in-context
demonstrations", section 3 (ICA; the paper shows 1 to 10 turns). The paper's turns are harmful; ours
are harmless, so this is weaker than the paper's attack. It needs an interface that lets the client
write the assistant's earlier turns, as chat APIs do. MITRE ATLAS AML.T0054, OWASP LLM01.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.attacks.demonstrations import demonstrations
from buttress.protocols.attack import AttackDescription, localised
from buttress.targets.base import Message

_TURNS: Final[Mapping[str, int]] = {"1-turn": 1, "5-turns": 5, "10-turns": 10}
_ASSENT: Final[Mapping[str, str]] = {"en": "Of course. ", "zh": "当然可以。"}


@dataclass(frozen=True, slots=True)
class InContextAttack(AttackDescription):
    """1, 5 or 10 earlier turns of the chat, the request as the last user turn, unchanged."""

    id: str = "in-context"
    version: str = "1"
    title: str = "In-context demonstrations"
    references: tuple[str, ...] = ("arXiv:2310.06387", "AML.T0054", "LLM01")
    languages: tuple[str, ...] = ("en", "zh")

    @property
    def variants(self) -> Sequence[str]:
        """Numbers of turns before the request."""
        return tuple(_TURNS)

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """User and assistant in turn; the demonstrations are drawn, without repeats, by ``seed``."""
        rng = random.Random(f"{seed}:{variant}:{request}")
        messages: list[Message] = []
        for one in rng.sample(demonstrations(language), _TURNS[variant]):
            messages.append(Message("user", one.question))
            messages.append(Message("assistant", localised(_ASSENT, language) + one.answer))
        return (*messages, Message("user", request))


ATTACK: Final = InContextAttack()
