"""Asking a target all requests of an alignment, as trials in the evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TextIO

from buttress.attacks.arsenal import registered_families, usable
from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import EvidenceStore
from buttress.protocols.judge import Judge
from buttress.protocols.probe import TrialSpec
from buttress.statistics.trial_order import prompt_of
from buttress.system.model import System
from buttress.targets.base import Message, Recorded, Sampling, Target
from buttress.trials.engine import TrialEngine
from buttress.trials.loop import run_async
from buttress.trials.progress import ProgressPlan, open_progress
from buttress.white_box.attempts import PREFIXES
from buttress.white_box.prefill import PrefilledTarget
from buttress.workflows.alignment.requests import (
    HARM,
    HELD_OUT,
    VERSION,
    MeasuredRequests,
    specs,
)

PREFILL: Final = "prefill"
FAMILIES: Final = ("role-play", "prefix-injection")
Cells = dict[tuple[str, str], list[Trial]]
OpenTarget = Callable[[], Target]


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
    ) -> Cells:
        """Trials by (risk, part); those that the evidence already holds are not asked again.

        Args:
            open_target: opens what is asked; it is closed at the end.
            requests: what is asked.
            asset: name of this state of the model in the evidence.
            system_prompt: put before every question.
            cells: pairs of risk and part; all where None.

        Raises:
            InputError: the target only has recorded answers.
            ButtressError: it does not answer.
        """
        wanted = [
            spec
            for risk, part in (requests.cells() if cells is None else cells)
            for spec in specs(
                requests, risk, part, system_prompt=system_prompt, max_tokens=self.max_tokens,
                seed=self.seed,
            )
        ]  # fmt: skip
        found: Cells = defaultdict(list)
        for trial in self.ask(open_target, wanted, asset):
            risk, _, part = trial.probe.partition("/")
            found[risk, part].append(trial)
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

    def ask(self, open_target: OpenTarget, wanted: Sequence[TrialSpec], asset: str) -> list[Trial]:
        """Trials that got an outcome, in the order of ``wanted``."""
        progress = open_progress(ProgressPlan(), self.stream)

        async def run() -> list[Trial]:
            target = open_target()
            try:
                if isinstance(target, Recorded):
                    raise InputError(
                        "only has recorded answers", field=asset, expected="a model that answers"
                    )
                engine = TrialEngine(
                    target, self.judge, self.store, asset=asset, run=self.run, seed=self.seed,
                    progress=progress, own_refusals=self.system.refusals,
                )  # fmt: skip
                return await engine.run(wanted)
            finally:
                await target.aclose()

        try:
            return run_async(run())
        finally:
            progress.close()


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
