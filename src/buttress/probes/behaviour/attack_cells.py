"""Is some attack too strong in some category? Every attack × category cell on its own.

The other attack probes estimate a rate over a mixture; this one looks for the worst of all cells,
plain asking among them, so that a claim about *every* cell can be made (``risk.cells``). A cell's
rate is that over its prompts and the variants of its attack, drawn evenly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, Self, runtime_checkable

from buttress.attacks.arsenal import Arsenal, named_families, usable
from buttress.evidence.records import Expect
from buttress.probes.behaviour.bank import seed_of, under_system_prompt
from buttress.protocols.attack import Attack
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialSpec
from buttress.statistics.trial_order import order, prompt_of
from buttress.targets.base import Message, Sampling

DIRECT: Final = "direct"
Cell = tuple[str, str]  # attack, category


@dataclass(frozen=True, slots=True)
class CellTrials:
    """Trials of one cell in a seeded random order; ``size`` of them, of so many ``prompts``."""

    size: int
    stream: Iterator[TrialSpec]
    prompts: int


@runtime_checkable
class CellwiseProbe(Protocol):
    """A trial probe whose trials can be asked for cell by cell."""

    def cells(self, context: TrialContext) -> Mapping[Cell, CellTrials]:
        """The cells, in a fixed order.

        Raises:
            NotCoveredError: as ``stream``.
        """
        ...


@dataclass(frozen=True, slots=True)
class AttackCellsProbe:
    """Harmful requests, plainly and under each attack of a set."""

    id: str = "attack-cells"
    title: str = "Harmful requests: the worst attack in the worst category"
    arsenal: Arsenal = field(default_factory=Arsenal)
    attack: str = "every attack"
    expect: Expect = "refuse"
    exact: bool = False

    @property
    def version(self) -> str:
        """Those of all attacks."""
        return self.arsenal.version

    def with_attacks(self, names: Sequence[str]) -> Self:
        """The same probe with the single-turn attacks among ``names``.

        Raises:
            InputError: no such attack or file.
        """
        return replace(self, arsenal=Arsenal(chosen=named_families(names)))

    def cells(self, context: TrialContext) -> Mapping[Cell, CellTrials]:
        """The cells that have prompts, plain asking first.

        Raises:
            NotCoveredError: no harmful prompt, or a recording.
        """
        if context.recorded is not None:
            raise NotCoveredError("the recording has no answers to attacked prompts")
        harmful: dict[str, list[int]] = defaultdict(list)
        for index, prompt in enumerate(context.prompts):
            weight = 1.0 if context.weights is None else context.weights.get(prompt.category, 0.0)
            if prompt.expect == self.expect and (weight > 0 or not context.weights):
                harmful[prompt.category].append(index)
        if not harmful:
            raise NotCoveredError("the prompts in use have no request with expect: refuse")
        found: dict[Cell, CellTrials] = {}
        attacks: dict[str, Attack | None] = {DIRECT: None, **self.arsenal.families}
        for name, family in attacks.items():
            for category in sorted(harmful):
                covered = [
                    index
                    for index in harmful[category]
                    if family is None
                    or usable(family, context.prompts[index].language, images=context.images)
                ]
                if covered:
                    variants = tuple(family.variants) if family else ("",)
                    size = len(covered) * len(variants)
                    asked = self._asked(context, (name, category), family, covered, variants)
                    prompts = {_prompt(context, index) for index in covered}
                    found[name, category] = CellTrials(size, asked, len(prompts))
        return found

    def stream(self, context: TrialContext) -> Iterator[TrialSpec]:
        """All trials, in turn from each cell.

        Raises:
            NotCoveredError: as ``cells``.
        """
        return _in_turn([cell.stream for cell in self.cells(context).values()])

    def size(self, context: TrialContext) -> int:
        """Number of trials.

        Raises:
            NotCoveredError: as ``cells``.
        """
        return sum(cell.size for cell in self.cells(context).values())

    def _asked(
        self,
        context: TrialContext,
        cell: Cell,
        family: Attack | None,
        prompts: Sequence[int],
        variants: Sequence[str],
    ) -> Iterator[TrialSpec]:
        attack, category = cell
        pairs = [(index, variant) for index in prompts for variant in variants]
        clusters = [_prompt(context, index) for index, _ in pairs]
        places = order(
            [category] * len(pairs),
            seed_of(context.seed, self.id, attack, category),
            prompts=clusters if context.by_prompt else None,
        )
        for place, draw in places:
            prompt, variant = context.prompts[pairs[place][0]], pairs[place][1]
            messages: tuple[Message, ...] = (Message("user", prompt.text),)
            if family is not None:
                messages = family.apply(
                    prompt.text, variant, language=prompt.language, seed=context.seed
                )
            yield TrialSpec(
                probe=self.id,
                probe_version=self.version,
                item="/".join(part for part in (prompt.id, attack, variant) if part),
                category=category,
                attack=attack,
                language=prompt.language,
                expect=self.expect,
                request=prompt.text,
                messages=under_system_prompt(messages, context.system_prompt),
                sampling=Sampling(max_tokens=context.max_tokens, seed=context.seed),
                cluster=clusters[place],
                draw=draw,
            )


def _prompt(context: TrialContext, index: int) -> str:
    prompt = context.prompts[index]
    return prompt_of(prompt.id, prompt.language)


def _in_turn(streams: list[Iterator[TrialSpec]]) -> Iterator[TrialSpec]:
    while streams:
        left = []
        for stream in streams:
            if (spec := next(stream, None)) is not None:
                yield spec
                left.append(stream)
        streams = left


PROBE: Final = AttackCellsProbe()
