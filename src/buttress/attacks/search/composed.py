"""A search whose questions reach the target in disguise: in Base64, in a story, in another tongue.

The search and its attacker model go on in plain text; a single-turn family transforms the last
user's message of each question on its way to the target. Earlier turns stay as they were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buttress.attacks.composition import JOIN
from buttress.attacks.search.base import SearchAttack
from buttress.protocols.attack import Attack, AttackDescription
from buttress.protocols.judge import Judgement
from buttress.protocols.procedure import Conversation, Dialogue
from buttress.targets.address import flatten
from buttress.targets.base import Message

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec


@dataclass(frozen=True, slots=True)
class DisguisedSearch(AttackDescription):
    """See ``disguised``."""

    search: SearchAttack
    family: Attack
    variant: str
    languages: tuple[str, ...]
    references: tuple[str, ...]

    @property
    def id(self) -> str:
        """Those of the search and the family, and the variant: ``pair+obfuscation:base64``."""
        return f"{self.search.id}{JOIN}{self.family.id}:{self.variant}"

    @property
    def version(self) -> str:
        """Both versions."""
        return f"{self.search.version}{JOIN}{self.family.version}"

    @property
    def title(self) -> str:
        """Both titles."""
        return f"{self.search.title} {JOIN} {self.family.title}"

    @property
    def calls(self) -> int:
        """Those of the search: a disguise costs nothing."""
        return self.search.calls

    @property
    def needs_attacker(self) -> bool:
        """Whether the search does."""
        return self.search.needs_attacker

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        """Carry out the trial; the dialogue holds what the target was sent.

        Raises:
            TargetError: from the conversation.
        """
        disguise = _Disguise(self.family, self.variant, spec, conversation)
        dialogue = await self.search.run(spec, disguise)
        return Dialogue(disguise.sent(dialogue.messages), dialogue.text)


def disguised(search: SearchAttack, family: Attack, variant: str) -> DisguisedSearch:
    """The search with each question's last user message in that variant of the family.

    References are joined; the languages are those that both cover.

    Raises:
        ValueError: no language in common, no such variant, or a family that asks more than once.
    """
    languages = tuple(one for one in search.languages if one in family.languages)
    if not languages:
        raise ValueError(f"{search.id} and {family.id} have no language in common")
    if variant not in family.variants:
        raise ValueError(f"{family.id} has no variant {variant!r}")
    if family.calls != 1:
        raise ValueError(f"{family.id} takes {family.calls} questions an attempt; expected 1")
    references = tuple(dict.fromkeys((*search.references, *family.references)))
    return DisguisedSearch(search, family, variant, languages, references)


class _Disguise:
    """A conversation in which the target gets transformed questions."""

    def __init__(
        self, family: Attack, variant: str, spec: TrialSpec, conversation: Conversation
    ) -> None:
        self._family = family
        self._variant = variant
        self._spec = spec
        self._conversation = conversation
        self._prompts: dict[str, str] = {}  # as the search knows it -> as the target got it

    @property
    def left(self) -> int:
        return self._conversation.left

    @property
    def has_attacker(self) -> bool:
        return self._conversation.has_attacker

    def sent(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages as the target gets them."""
        *earlier, last = messages
        sampling, language = self._spec.sampling, self._spec.language
        turned = self._family.apply(
            last.content, self._variant, language=language, seed=sampling.seed
        )
        return (*earlier, *turned)

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> str:
        sent = self.sent(messages)
        self._prompts[flatten(messages)] = flatten(sent)
        return await self._conversation.ask(
            sent, max_tokens=max_tokens, temperature=temperature, seed=seed
        )

    async def attacker(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 400,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> str:
        return await self._conversation.attacker(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed
        )

    async def score(self, prompt: str, answer: str) -> Judgement:
        return await self._conversation.score(self._prompts.get(prompt, prompt), answer)
