"""Trial probes that ask a target requests, as they are, under an attack, or as a search for one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buttress.attacks.arsenal import Arsenal, usable
from buttress.evidence.records import Expect
from buttress.protocols.attack import Attack
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialSpec
from buttress.statistics.finite import Draw
from buttress.statistics.trial_order import order, prompt_of
from buttress.targets.base import Message, RecordedPrompt, Sampling

if TYPE_CHECKING:
    from buttress.attacks.search.base import SearchAttack


@dataclass(frozen=True, slots=True)
class RequestProbe:
    """Asks requests of one kind (``expect``), optionally turned adversarial.

    ``family`` transforms the request; ``searches``, by id, take several questions to find what
    works, so that a trial's outcome is whether one found something. At most one of them is given. A
    recording is used as it is: its prompts are the trials. It can't be attacked, since it holds no
    answers to attacked prompts.
    """

    id: str
    version: str
    title: str
    expect: Expect
    family: Attack | None = None
    exact: bool = False
    searches: Mapping[str, SearchAttack] = field(default_factory=dict)

    @property
    def attack(self) -> str:
        """Id of the attack; "direct" where there is none, "search" where there are several."""
        if self.family:
            return self.family.id
        if len(self.searches) == 1:
            return next(iter(self.searches))
        return "search" if self.searches else "direct"

    @property
    def variants(self) -> Sequence[str]:
        """Ways to ask a request, by name: the attacks, or variants of the one; "" for as it is."""
        if self.family:
            return tuple(self.family.variants)
        return tuple(self.searches) or ("",)

    def stream(self, context: TrialContext) -> Iterator[TrialSpec]:
        """Trials in a seeded random order; see ``sampling``.

        Raises:
            NotCoveredError: no prompt of this kind, or an attack on a recording.
        """
        self.size(context)  # raises before the first trial rather than at it
        if context.recorded is not None:
            return self._replayed(context)
        return self._asked(context)

    def size(self, context: TrialContext) -> int:
        """Number of trials at most (an upper bound where categories are weighted).

        Raises:
            NotCoveredError: as ``stream``.
        """
        if not context.attacker and any(one.needs_attacker for one in self.searches.values()):
            raise NotCoveredError("the manifest names no attacker model")
        if context.recorded is not None:
            if self.family or self.searches:
                raise NotCoveredError("the recording has no answers to attacked prompts")
            count = sum(prompt.expect == self.expect for prompt in context.recorded)
        else:
            count = sum(
                self._covered(variant, context.prompts[index].language, context)
                for index in self._prompts(context)
                for variant in self.variants
            )
        if count == 0 and getattr(self.family, "images", False) and not context.images:
            raise NotCoveredError("the target takes no pictures")
        if count == 0:
            source = "recording has" if context.recorded is not None else "prompts in use have"
            raise NotCoveredError(f"the {source} no request with expect: {self.expect}")
        return count

    def _prompts(self, context: TrialContext) -> list[int]:
        return [i for i, prompt in enumerate(context.prompts) if prompt.expect == self.expect]

    def _covered(self, variant: str, language: str, context: TrialContext) -> bool:
        """Whether the attack is written for that language; it would ask in another's words."""
        if isinstance(self.family, Arsenal):
            return self.family.covers(variant, language, images=context.images)
        if self.searches:
            return language in self.searches[variant].languages
        return self.family is None or usable(self.family, language, images=context.images)

    def _seed(self, context: TrialContext) -> int:
        """A seed of its own for each probe, so that their orders are independent."""
        digest = hashlib.sha256(f"{context.seed}:{self.id}".encode()).digest()
        return int.from_bytes(digest[:8], "big")

    def _asked(self, context: TrialContext) -> Iterator[TrialSpec]:
        pairs = [
            (context.prompts[index], variant)
            for index in self._prompts(context)
            for variant in self.variants
            if self._covered(variant, context.prompts[index].language, context)
        ]
        system = (Message("system", context.system_prompt),) if context.system_prompt else ()
        clusters = [prompt_of(prompt.id, prompt.language) for prompt, _ in pairs]
        several = bool(self.searches) or isinstance(self.family, Arsenal)
        for place, draw in order(
            [prompt.category for prompt, _ in pairs],
            self._seed(context),
            context.weights,
            clusters if context.by_prompt else None,
        ):
            prompt, variant = pairs[place]
            if self.family:
                messages = self.family.apply(
                    prompt.text, variant, language=prompt.language, seed=context.seed
                )
            else:
                messages = (Message("user", prompt.text),)
            yield TrialSpec(
                probe=self.id,
                probe_version=self.version,
                item=f"{prompt.id}/{variant}" if variant else prompt.id,
                category=prompt.category,
                attack=variant if several else self.attack,
                language=prompt.language,
                expect=self.expect,
                request=prompt.text,
                messages=(*system, *messages),
                sampling=Sampling(max_tokens=context.max_tokens, seed=context.seed),
                procedure=self.searches.get(variant),
                cluster=clusters[place],
                draw=draw,
            )

    def _replayed(self, context: TrialContext) -> Iterator[TrialSpec]:
        assert context.recorded is not None
        recorded = context.recorded
        mine = [prompt for prompt in recorded if prompt.expect == self.expect]
        # A recording may hold several answers to a request, asked in several ways.
        clusters = (
            [prompt.request or prompt.prompt for prompt in mine] if context.by_prompt else None
        )
        categories = [prompt.category for prompt in mine]
        for place, draw in order(categories, self._seed(context), context.weights, clusters):
            yield self._recorded(mine[place], context, draw)

    def _recorded(
        self, prompt: RecordedPrompt, context: TrialContext, draw: Draw | None
    ) -> TrialSpec:
        return TrialSpec(
            probe=self.id,
            probe_version=self.version,
            item=prompt.tag,
            category=prompt.category,
            attack="direct",
            language=prompt.language,
            expect=self.expect,
            request=prompt.request or prompt.prompt,
            messages=(Message("user", prompt.prompt),),
            sampling=Sampling(max_tokens=context.max_tokens, seed=context.seed),
            tag=prompt.tag,
            cluster=prompt.request or prompt.prompt,
            draw=draw,
        )
