"""Asking a target all requests of an alignment, as trials in the evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TextIO, runtime_checkable

from buttress.attacks.arsenal import registered_families, usable
from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import EvidenceStore
from buttress.protocols.judge import Judge
from buttress.protocols.probe import TrialSpec
from buttress.statistics.trial_order import prompt_of
from buttress.system.model import System
from buttress.targets.address import address
from buttress.targets.base import Answer, Message, Recorded, Request, Sampling, Target
from buttress.trials.engine import TrialEngine
from buttress.trials.loop import run_async
from buttress.trials.progress import ProgressPlan, open_progress
from buttress.white_box.attempts import PREFIXES
from buttress.white_box.prefilled_target import PrefilledTarget
from buttress.workflows.alignment.requests import (
    HARM,
    HELD_OUT,
    VERSION,
    MeasuredRequests,
    specs,
)

PREFILL: Final = "prefill"
REFUSAL_DIRECTION: Final = "refusal-direction"
FAMILIES: Final = ("role-play", "prefix-injection")
BLOCK: Final = 32  # requests of a cell after which a measurement may stop
Cells = dict[tuple[str, str], list[Trial]]
OpenTarget = Callable[[], Target]
Asked = dict[tuple[str, str], int]
NextCells = Callable[[Cells, Asked], Sequence[tuple[str, str]]]


@runtime_checkable
class ReusesAnswers(Protocol):
    """A target that gives some answers of another model unchanged, and need not make them anew."""

    def reuse(self, known: Callable[[str, Request], Answer | None]) -> None:
        """Take them from ``known``, which gets the other model's identity and the question."""
        ...


@dataclass(frozen=True, slots=True)
class Measurer:
    """Asks targets of one system; all trials are of ``run`` and judged by ``judge``."""

    system: System
    store: EvidenceStore
    judge: Judge
    run: str
    seed: int
    max_tokens: int
    stream: TextIO | None = None

    def measure(
        self,
        open_target: OpenTarget,
        requests: MeasuredRequests,
        *,
        asset: str,
        system_prompt: str,
        cells: Sequence[tuple[str, str]] | None = None,
        next_cells: NextCells | None = None,
    ) -> Cells:
        """Trials by (risk, part); those that the evidence already holds are not asked again.

        All at once, or in rounds: a block of each cell, then of those that ``next_cells`` names.
        The requests of a cell keep their random order. So an interval that holds at all times of
        stopping together holds however answers decide which cell goes on.

        Args:
            open_target: opens what is asked; it is closed at the end.
            requests: what is asked.
            asset: name of this state of the model in the evidence.
            system_prompt: put before every question.
            cells: pairs of risk and part; all where None.
            next_cells: which cells the next round asks, from the trials so far and the number of
                requests of each cell that were asked; none ends it.

        Raises:
            InputError: the target only has recorded answers.
            ButtressError: it does not answer.
        """
        wanted = {
            (risk, part): specs(
                requests, risk, part, system_prompt=system_prompt, max_tokens=self.max_tokens,
                seed=self.seed,
            )
            for risk, part in (requests.cells() if cells is None else cells)
        }  # fmt: skip
        found: Cells = defaultdict(list)

        def finished(trials: Sequence[Trial]) -> bool:
            for trial in trials:
                risk, _, part = trial.probe.partition("/")
                found[risk, part].append(trial)
            return False

        if next_cells is None:
            every = [one for cell in wanted.values() for one in cell]
            finished(self.ask(open_target, every, asset))
        else:
            rounds = _rounds(wanted, found, next_cells)
            self.ask_in_rounds(open_target, rounds, asset, finished)
        return found

    def attack(
        self,
        open_target: OpenTarget,
        requests: MeasuredRequests,
        count: int,
        *,
        asset: str,
        system_prompt: str,
        prefill: bool,
    ) -> dict[str, list[Trial]]:
        """Trials by attack on the first ``count`` held-out harmful requests.

        ``prefill`` begins the answer in the target's place: only where the target goes on from
        there, as models in this process do.
        """
        plain = specs(
            requests, HARM, HELD_OUT, system_prompt=system_prompt, max_tokens=self.max_tokens,
            seed=self.seed,
        )[:count]  # fmt: skip
        wanted = [_attacked(spec, family, self.seed) for family in FAMILIES for spec in plain]
        trials = self.ask(open_target, [one for one in wanted if one is not None], asset)
        for language in dict.fromkeys(spec.language for spec in plain if prefill):
            start = PREFIXES.get(language, PREFIXES["en"])
            begun = [
                _changed(spec, PREFILL, spec.messages)
                for spec in plain
                if spec.language == language
            ]
            trials += self.ask(partial(_prefilled, open_target, start), begun, asset)
        found: dict[str, list[Trial]] = defaultdict(list)
        for trial in trials:
            found[trial.attack].append(trial)
        return found

    def attack_inside(
        self,
        open_target: OpenTarget,
        requests: MeasuredRequests,
        count: int,
        *,
        asset: str,
        system_prompt: str,
    ) -> list[Trial]:
        """Trials of the same requests by a target whose inside was changed."""
        plain = specs(
            requests, HARM, HELD_OUT, system_prompt=system_prompt, max_tokens=self.max_tokens,
            seed=self.seed,
        )[:count]  # fmt: skip
        wanted = [_changed(spec, REFUSAL_DIRECTION, spec.messages) for spec in plain]
        return self.ask(open_target, wanted, asset)

    def ask(self, open_target: OpenTarget, wanted: Sequence[TrialSpec], asset: str) -> list[Trial]:
        """Trials that got an outcome, in the order of ``wanted``."""
        found: list[Trial] = []

        def finished(trials: Sequence[Trial]) -> bool:
            found.extend(trials)
            return False

        self.ask_in_rounds(open_target, [wanted], asset, finished)
        return found

    def ask_in_rounds(
        self,
        open_target: OpenTarget,
        rounds: Iterable[Sequence[TrialSpec]],
        asset: str,
        finished: Callable[[Sequence[Trial]], bool],
    ) -> None:
        """Ask each round whole; ``finished`` gets its trials and says whether to stop."""
        progress = open_progress(ProgressPlan(), self.stream)

        async def run() -> None:
            target = open_target()
            if isinstance(target, ReusesAnswers):
                target.reuse(self._recorded)
            try:
                if isinstance(target, Recorded):
                    raise InputError(
                        "only has recorded answers", field=asset, expected="a model that answers"
                    )
                engine = TrialEngine(
                    target, self.judge, self.store, asset=asset, run=self.run, seed=self.seed,
                    progress=progress, own_refusals=self.system.refusals,
                )  # fmt: skip
                for wanted in rounds:
                    if finished(await engine.run(wanted)):
                        return
            finally:
                await target.aclose()

        try:
            run_async(run())
        finally:
            progress.close()

    def _recorded(self, identity: str, request: Request) -> Answer | None:
        """The answer that a model gave to the same question, from the evidence."""
        key = address(identity, request.messages, request.sampling, request.tag)
        (trial,) = self.store.answers_for([key])
        if trial is None:
            return None
        return Answer(
            trial.answer,
            finish_reason=trial.finish_reason,
            prompt_tokens=trial.prompt_tokens,
            completion_tokens=trial.completion_tokens,
            reasoning=trial.reasoning,
            refused_by=trial.refused_by,
        )


def _rounds(
    cells: Mapping[tuple[str, str], Sequence[TrialSpec]], found: Cells, next_cells: NextCells
) -> Iterator[list[TrialSpec]]:
    """A block of each cell, then of each that ``next_cells`` names and that has requests left."""
    asked = dict.fromkeys(cells, 0)
    chosen: Sequence[tuple[str, str]] = list(cells)
    while chosen:
        wanted: list[TrialSpec] = []
        for cell in chosen:
            block = cells[cell][asked[cell] : asked[cell] + BLOCK]
            asked[cell] += len(block)
            wanted += block
        yield wanted
        left = [cell for cell, whole in cells.items() if asked[cell] < len(whole)]
        chosen = [cell for cell in next_cells(found, dict(asked)) if cell in left]


def _attacked(spec: TrialSpec, family: str, seed: int) -> TrialSpec | None:
    """The request in a variant of the family; None where it has none in that language."""
    attack = registered_families()[family]
    if not usable(attack, spec.language, images=False):
        return None
    variants = list(attack.variants)
    variant = variants[(seed + sum(spec.item.encode())) % len(variants)]
    system = tuple(one for one in spec.messages if one.role == "system")
    asked = attack.apply(spec.request, variant, language=spec.language, seed=seed)
    return _changed(spec, family, (*system, *asked))


def _prefilled(open_target: OpenTarget, start: str) -> Target:
    return PrefilledTarget(open_target(), start)


def _changed(spec: TrialSpec, attack: str, messages: tuple[Message, ...]) -> TrialSpec:
    return TrialSpec(
        probe=f"attack/{attack}",
        probe_version=VERSION,
        item=spec.item,
        category=spec.category,
        attack=attack,
        language=spec.language,
        expect=spec.expect,
        request=spec.request,
        messages=messages,
        sampling=Sampling(max_tokens=spec.sampling.max_tokens, seed=spec.sampling.seed),
        cluster=prompt_of(spec.item, spec.language),
    )
