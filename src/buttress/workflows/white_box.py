"""From weights and settings to results: the run, its folder and the order of the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.evidence.base import RecordStore
from buttress.evidence.records import Provenance
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.protocols.judge import Judge
from buttress.targets.base import Message
from buttress.targets.fingerprint import files_digest
from buttress.targets.huggingface import PINNED
from buttress.white_box.attempts import DIRECT, VERSION, Method, Settings
from buttress.white_box.direction_file import FILE_NAME as DIRECTION
from buttress.white_box.direction_file import load_direction, save_direction
from buttress.white_box.likelihood import drift
from buttress.white_box.loading import load
from buttress.white_box.measures import FILE_NAME as MEASURES
from buttress.white_box.measures import Measures
from buttress.white_box.methods import method
from buttress.white_box.refusal_direction import Direction, difference_in_means, select
from buttress.white_box.residual import ablated
from buttress.white_box.results import Results, document
from buttress.white_box.sample import RequestSample
from buttress.white_box.study import ASSET, Study
from buttress.workflows.runs import begin_run, last_run

POLICY: Final = "white-box"  # what the run's provenance names: it is held against no limit
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WhiteBoxPlan:
    """What is to be done.

    ``positions`` are the last tokens that a direction may come from; ``least_induced`` and
    ``most_divergence`` as in ``refusal_direction.select``.
    """

    weights: Path
    out: Path
    methods: Sequence[str]
    sample: RequestSample
    settings: Settings
    device: str = "auto"
    positions: int = 1
    least_induced: float = 0.0
    most_divergence: float = 0.1
    resume: bool = False


def study(plan: WhiteBoxPlan, judge: Judge, say: Say) -> dict[str, Any]:
    """Carry out ``plan``; trials go into the evidence store in ``plan.out`` as they are made.

    Raises:
        InputError: weights, folder or an earlier run's state is not usable.
    """
    say("loading the weights")
    model, tokenizer = load(plan.weights, device=plan.device)
    identity = _identity(plan.weights)
    plan.out.mkdir(parents=True, exist_ok=True)
    with EvidenceStore.open(plan.out / FILE_NAME) as store, asyncio.Runner() as runner:
        run = _begin(store, plan, identity)
        measures = Measures(plan.out / MEASURES)
        one = Study(store, measures, judge, runner, identity, run, plan.settings)
        work = _Work(plan, model, tokenizer, one, say)
        results = work.all()
        about = {
            "weights": plan.weights.resolve().name,
            "identity": identity,
            "run": run,
            "judge": {"id": judge.id, "version": judge.version},
            "settings": _settings(plan),
        }
        return document(results, measures, about)


@dataclass(slots=True)
class _Work:
    plan: WhiteBoxPlan
    model: Any
    tokenizer: Any
    study: Study
    say: Say

    def all(self) -> Results:
        harmful = self.plan.sample.harmful
        direct = self._method(DIRECT)
        results = Results(self.study.answer(direct, harmful, self.say), {})
        for name in self.plan.methods:
            if name == "refusal-direction":
                try:
                    results.direction = self._direction()
                except InputError as error:
                    if error.file is not None:
                        raise
                    results.left_out[name] = str(error)
                    continue
                self._ablation(results, results.direction)
                continue
            made = self._method(name)
            results.methods[name] = self.study.answer(made, harmful, self.say)
        return results

    def _method(self, name: str, direction: Direction | None = None) -> Method:
        return method(
            name,
            self.model,
            self.tokenizer,
            self.plan.settings,
            direction=direction,
            folder=self.plan.out / "gcg",
        )

    def _ablation(self, results: Results, direction: Direction) -> None:
        sample = self.plan.sample
        changed = self._method("refusal-direction", direction)
        results.methods[changed.id] = self.study.answer(changed, sample.harmful, self.say)
        direct = self._method(DIRECT)
        results.harmless_direct = self.study.answer(direct, sample.harmless, self.say)
        results.harmless = self.study.answer(changed, sample.harmless, self.say)
        self.say("refusal-direction: drift on harmless answers")
        answers = results.harmless_direct.trials
        if any(trial.answer.strip() for trial in answers):
            results.drift = drift(
                self.model,
                self.tokenizer,
                [(Message("user", trial.request),) for trial in answers],
                [trial.answer for trial in answers],
                ablated(self.model, direction.vector),
            )

    def _direction(self) -> Direction:
        sample, path = self.plan.sample, self.plan.out / DIRECTION
        found_with = {
            "identity": self.study.identity,
            "version": VERSION,
            "positions": self.plan.positions,
            "least_induced": self.plan.least_induced,
            "most_divergence": self.plan.most_divergence,
            "training": sample.training,
            "validation": sample.validation,
        }
        found = load_direction(path, found_with)
        if found is None:
            self.say("refusal-direction: activations of the training requests")
            differences = difference_in_means(
                self.model, self.tokenizer, *sample.training, positions=self.plan.positions
            )
            found = select(
                self.model,
                self.tokenizer,
                differences,
                *sample.validation,
                least_induced=self.plan.least_induced,
                most_divergence=self.plan.most_divergence,
                progress=lambda layer, position, induce: self.say(
                    f"refusal-direction: layer {layer} of {len(differences)}, "
                    f"position {position}, induces log odds of {induce:.2f}"
                ),
            )
            save_direction(path, found, found_with)
        return found


def _identity(weights: Path) -> str:
    """As the huggingface target's, since it is the same model."""
    return f"huggingface:sha256:{files_digest({p for kind in PINNED for p in weights.glob(kind)})}"


def _settings(plan: WhiteBoxPlan) -> dict[str, Any]:
    return {
        **asdict(plan.settings),
        "methods": list(plan.methods),
        "positions": plan.positions,
        "least_induced": plan.least_induced,
        "most_divergence": plan.most_divergence,
        "requests": [prompt.id for prompt in plan.sample.harmful],
        "texts": [p.text for p in plan.sample.harmful if p.id.startswith("request:")],
    }


def _begin(store: RecordStore, plan: WhiteBoxPlan, identity: str) -> str:
    """The id of a new run, or of the last one if it is to be resumed."""
    settings = _settings(plan)
    if plan.resume:

        def check(last: Provenance) -> None:
            if last.policy != POLICY:
                raise _nothing_to_resume(store)
            _check_same(last, settings, identity)

        earlier = last_run(store, check)
        if earlier is None:
            raise _nothing_to_resume(store)
        return earlier.run
    return begin_run(
        store,
        system=plan.weights.resolve().name,
        seed=plan.settings.seed,
        policy=POLICY,
        digests={ASSET: identity},
        details={"settings": settings},
        libraries=("torch", "transformers"),
    ).run


def _nothing_to_resume(store: RecordStore) -> InputError:
    return InputError("no white-box run to go on with", file=store.name, field="--resume")


def _check_same(last: Provenance, settings: Mapping[str, Any], identity: str) -> None:
    held = last.details.get("settings")
    changed = "weights" if last.digests.get(ASSET) != identity else None
    if changed is None and isinstance(held, dict):
        # Other methods may join: what is there stays, what is missing is made.
        changed = next(
            (n for n, v in settings.items() if n != "methods" and held.get(n) != v), None
        )
    if changed:
        raise InputError(
            "differs from the run that is to be resumed",
            field=changed,
            expected="the same, or no --resume, or another --out",
        )
