"""Training of a run of `buttress tune`: data read, trained by its method, saved, loaded anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import torch

from buttress.data.inputs import expand
from buttress.data.reading import Readable, Unreadable, read
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.judges.offline import create as offline_judge
from buttress.protocols.judge import Exchange, Judgement
from buttress.training.adapter import (
    CHECKED,
    ReloadCheck,
    add_adapter,
    check_saved,
    save_adapter,
)
from buttress.training.answer_logits import all_log_probabilities
from buttress.training.examples import ExampleReader, ExampleSet, TrainingExample
from buttress.training.loop import steps_of, train
from buttress.training.objective import PREFERENCES, terms_of
from buttress.training.reward_model import (
    check_saved_scores,
    load_reward_model,
    reward_base,
    reward_scores,
)
from buttress.training.settings import REINFORCEMENT, TuneSettings
from buttress.training.validation import (
    ChatMeasure,
    PairMeasure,
    Validation,
    ValidationLimits,
    validation_requests,
)
from buttress.trials.loop import run_async
from buttress.white_box.loading import load, load_tokenizer
from buttress.white_box.token_statistics import positions
from buttress.workflows.tune import VALIDATION, TuneRequest, data_digest
from buttress.workflows.unlearning import UnlearningSets, unlearning_part

SCORES: Final = "validation-scores.jsonl"
_MEASURES: Final = 4  # of a run, where nobody says how often
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SavedAdapter:
    """What came of a run, for its document."""

    parameters: int
    trained: int
    data: dict[str, Any]
    retain: dict[str, Any] | None
    steps: int
    losses: list[float]
    check: ReloadCheck
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    validation: dict[str, Any] | None = None
    privacy: dict[str, Any] | None = None
    unlearning: dict[str, Any] | None = None


def train_and_save(
    request: TuneRequest, settings: TuneSettings, checkpoints: Path, say: Say
) -> SavedAdapter:
    """Train by the settings' method, put the chosen state into the folder, and check what is there.

    Raises:
        InputError: data or a setting is not usable.
        ButtressError: the saved adapter does not give what the trained one gave.
        MissingExtraError: opacus is not there for ``dp-sft``.
    """
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    say(f"loading {request.weights}")
    work = _Work(request, settings, checkpoints, say)
    if settings.method == "reward":
        return work.reward()
    if settings.method in REINFORCEMENT:
        return work.reinforcement()
    return work.adapter()


@dataclass(frozen=True, slots=True)
class _Work:
    request: TuneRequest
    settings: TuneSettings
    checkpoints: Path
    say: Say

    def adapter(self) -> SavedAdapter:
        """By an objective of ours, on one device."""
        request = self.request
        base, tokenizer = load(request.weights, device=request.device)
        whole = _size(base)
        reader = ExampleReader(tokenizer, self._most(base))
        data, told = self._examples(request.data, reader, "--data")
        retain = retain_told = None
        if request.retain is not None:
            retain, retain_told = self._examples(request.retain, reader, "--retain")
        holdout = holdout_told = None
        if request.holdout is not None:
            holdout, holdout_told = self._examples(request.holdout, reader, "--holdout")
        validation = self._chat_validation(tokenizer, data.size)
        model = add_adapter(base, self.settings.lora, request.seed)
        losses, privacy = self._train(model, data, retain, validation)
        examples = [*data.examples, *(one.chosen for one in data.pairs)][:CHECKED]
        shown = self._validated(model, validation)
        check = self._saved(model, examples)
        steps = len(losses) if privacy is None else privacy.pop("steps")
        trained = _trained(model)
        unlearning = None
        if holdout is not None:
            sets = UnlearningSets.of(
                data, holdout, retain, relearn=request.relearn, seed=request.seed
            )
            part = unlearning_part(
                request.weights, request.out, sets, self.settings, seed=request.seed,
                device=request.device, say=self.say,
            )  # fmt: skip
            unlearning = {"holdout": holdout_told, **part}
        return SavedAdapter(
            whole, trained, told, retain_told, steps, losses, check, {}, shown, privacy, unlearning
        )

    def reward(self) -> SavedAdapter:
        """A reward model, through TRL."""
        from buttress.training.trl_trainers import train_reward_model

        request = self.request
        torch.manual_seed(request.seed)  # of the new head
        base = reward_base(request.weights, request.device)
        tokenizer = load_tokenizer(request.weights)
        whole = _size(base)
        reader = ExampleReader(tokenizer, self._most(base))
        data, told = self._examples(request.data, reader, "--data")
        validation, held_out = None, None
        if request.validation is not None:
            held_out, _ = self._examples(request.validation, reader, "--validation")
            validation = self._validation(PairMeasure(held_out.pairs), data.size)
        done = train_reward_model(
            base, tokenizer, data.pairs, self.settings, seed=request.seed,
            folder=self.checkpoints, validation=validation, say=self.say,
        )  # fmt: skip
        shown = self._validated(done.model, validation)
        if held_out is not None:
            self._write_scores(done.model, held_out)
        examples = [one.chosen for one in data.pairs][:CHECKED]
        self.say("saving, and loading anew")
        scores = reward_scores(done.model, examples)
        save_adapter(done.model, request.out, request.weights.resolve())
        check = check_saved_scores(
            request.out, request.weights.resolve(), examples, scores, request.device
        )
        return SavedAdapter(
            whole, _trained(done.model), told, None, len(done.losses), done.losses, check,
            done.curves, shown,
        )  # fmt: skip

    def reinforcement(self) -> SavedAdapter:
        """By answers that a reward model scores, through TRL."""
        from buttress.training.trl_trainers import train_by_reinforcement

        request, settings = self.request, self.settings
        assert request.reward_model is not None
        base, tokenizer = load(request.weights, device=request.device)
        whole, most = _size(base), self._most(base)
        reader = ExampleReader(tokenizer, most)
        records, unreadable = _records(request.data)
        with _errors_of(request.data, "--data", unreadable):
            prompts = reader.prompts(records, settings.answer_tokens)
        told = _told(
            request.data, len(records), examples=prompts.size, tokens=0, unreadable=unreadable,
            left_out=prompts.left_out,
        )  # fmt: skip
        reward = load_reward_model(request.reward_model, device=request.device, max_tokens=most)
        validation = self._chat_validation(tokenizer, prompts.size)
        done = train_by_reinforcement(
            base, tokenizer, prompts.prompts, reward, settings, seed=request.seed,
            folder=self.checkpoints, validation=validation, say=self.say,
        )  # fmt: skip
        shown = self._validated(done.model, validation)
        checked = [reader.answered(one, "") for one in prompts.prompts[:CHECKED]]
        check = self._saved(done.model, [one for one in checked if one is not None])
        return SavedAdapter(
            whole, _trained(done.model), told, None, len(done.losses), done.losses, check,
            done.curves, shown,
        )  # fmt: skip

    def _train(
        self, model: Any, data: ExampleSet, retain: ExampleSet | None, validation: Validation | None
    ) -> tuple[list[float], dict[str, Any] | None]:
        request = self.request
        if request.epsilon is not None and request.delta is not None:
            from buttress.training.private import train_privately

            spent = train_privately(
                model, data.examples, self.settings, request.epsilon, request.delta,
                folder=self.checkpoints, say=self.say,
            )  # fmt: skip
            return [], {
                "epsilon": spent.epsilon, "delta": spent.delta, "target_epsilon": spent.target,
                "noise_multiplier": spent.noise_multiplier, "sample_rate": spent.sample_rate,
                "clip": spent.clip, "steps": spent.steps,
                "accountant": "Opacus, privacy loss random variables",
            }  # fmt: skip
        terms = terms_of(model, self.settings, data, retain, request.seed)
        losses = train(
            model, terms, self.settings, seed=request.seed, folder=self.checkpoints,
            validation=validation, say=self.say,
        )  # fmt: skip
        return losses, None

    def _saved(self, model: Any, examples: Sequence[TrainingExample]) -> ReloadCheck:
        request = self.request
        self.say("saving, and loading anew")
        weights = request.weights.resolve()
        save_adapter(model, request.out, weights)
        trained = all_log_probabilities(model.eval(), examples)
        return check_saved(request.out, weights, examples, trained, request.device)

    def _most(self, model: Any) -> int:
        return min(self.settings.max_tokens, positions(model) or self.settings.max_tokens)

    def _examples(
        self, path: Path, reader: ExampleReader, option: str
    ) -> tuple[ExampleSet, dict[str, Any]]:
        records, unreadable = _records(path)
        method = self.settings.method
        with _errors_of(path, option, unreadable):
            if method in PREFERENCES and option != "--retain":
                found = reader.pairs(records)
            else:
                found = reader.examples(
                    records,
                    labelled=method == "kto" and option == "--data",
                    whole=method == "dp-sft",
                )
        answers = [*found.examples, *(one.chosen for one in found.pairs)]
        answers += [one.rejected for one in found.pairs]
        tokens = sum(one.learned for one in answers)
        return found, _told(
            path, len(records), examples=found.size, tokens=tokens, unreadable=unreadable,
            left_out=found.left_out,
        )  # fmt: skip

    def _chat_validation(self, tokenizer: Any, size: int) -> Validation | None:
        path = self.request.validation
        if path is None:
            return None
        records, unreadable = _records(path)
        with _errors_of(path, "--validation", unreadable):
            requests = validation_requests(records)
            if not requests:
                raise InputError("no requests in it", expected="records with a prompt")
        judge = self.request.judge or offline_judge()

        def judged(exchanges: Sequence[Exchange]) -> Sequence[Judgement]:
            return run_async(judge.judge(exchanges))

        measure = ChatMeasure(tokenizer, requests, judged, max_tokens=self.settings.answer_tokens)
        return self._validation(measure, size)

    def _validation(self, measure: Any, size: int) -> Validation:
        settings = self.settings
        every = settings.validate_every or max(1, steps_of(settings, size) // _MEASURES)
        return Validation(
            measure, ValidationLimits(settings.harm_limit, settings.kl_budget),
            self.request.out / VALIDATION, every=every, say=self.say,
        )  # fmt: skip

    def _validated(self, model: Any, validation: Validation | None) -> dict[str, Any] | None:
        """Put the chosen state into the model; what was measured, for the document."""
        path = self.request.validation
        if validation is None or path is None:
            return None
        chosen = validation.restore(model)
        assert chosen is not None
        self.say(f"the state after step {chosen.step} is kept")
        if not (chosen.sound and chosen.allowed):
            self.say("no state of the training holds the limits")
        return {
            "path": str(path), "digest": data_digest(path), "chosen": chosen.step,
            "within_limits": chosen.sound and chosen.allowed,
            "points": [asdict(one) for one in sorted(validation.points, key=lambda one: one.step)],
        }  # fmt: skip

    def _write_scores(self, model: Any, held_out: ExampleSet) -> None:
        """Scores of the validation pairs, as `buttress preferences score` reads them."""
        assert self.request.validation is not None
        records, _ = _records(self.request.validation)
        sides = [
            reward_scores(model, [getattr(one, side) for one in held_out.pairs]).tolist()
            for side in ("chosen", "rejected")
        ]
        lines = [
            orjson.dumps({**records[pair.record], "score_chosen": better, "score_rejected": worse})
            for pair, better, worse in zip(held_out.pairs, *sides, strict=True)
        ]
        write_whole(self.request.out / SCORES, b"\n".join(lines) + b"\n", "--out")


def _records(path: Path) -> tuple[list[dict[str, Any]], list[Unreadable]]:
    """Records of a file or folder, and what could not be read."""
    records: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    for one in read(expand([path])):
        if isinstance(one, Readable):
            records.append(one.data)
        else:
            unreadable.append(Unreadable(one.file, one.line, one.reason))
    return records, unreadable


def _told(
    path: Path, records: int, *, examples: int, tokens: int, unreadable: Sequence[Unreadable],
    left_out: Mapping[str, int],
) -> dict[str, Any]:  # fmt: skip
    reasons = {"unreadable": len(unreadable), **left_out}
    return {
        "path": str(path),
        "digest": data_digest(path),
        "records": records,
        "examples": examples,
        "tokens": tokens,
        "left_out": {name: count for name, count in sorted(reasons.items()) if count},
    }


@contextmanager
def _errors_of(path: Path, option: str, unreadable: Sequence[Unreadable]) -> Iterator[None]:
    """Errors of a file's content name the file and its option, and what could not be read."""
    try:
        yield
    except InputError as error:
        problem = error.problem
        if unreadable:
            first = unreadable[0]
            problem += f"; {len(unreadable)} could not be read (line {first.line}: {first.reason})"
        raise InputError(problem, file=str(path), field=option, expected=error.expected) from None


def _size(model: Any) -> int:
    return sum(one.numel() for one in model.parameters())


def _trained(model: Any) -> int:
    return sum(one.numel() for one in model.parameters() if one.requires_grad)
