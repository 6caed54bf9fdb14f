"""Which state of a model in training is kept: chosen on requests that it is not trained on.

Training lowers a loss, and what people want is something else. So the model answers validation
requests while it is trained, a judge reads the answers, and the state with the least over-refusal
among those with little harm is kept: a constrained objective. Reward models are chosen by how often
they order validation pairs as people did. The figures are for choosing. What a change is worth is
measured on other requests (`buttress align`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import kl_div

from buttress.answers.degenerate import is_degenerate
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.protocols.judge import Exchange, Judgement
from buttress.targets.base import Message
from buttress.training.answer_logits import answer_logits, parts
from buttress.training.examples import ExamplePair, TrainingExample
from buttress.training.record_forms import question_of
from buttress.training.reward_model import reward_scores
from buttress.white_box.answers import continuations, text_of
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.loading import evaluating

MOST_DEGENERATE: Final = 0.02  # rise of the share of degenerate answers that is allowed
_POINTS: Final = "points.json"
Judging = Callable[[Sequence[Exchange]], Sequence[Judgement]]


@dataclass(frozen=True, slots=True)
class ValidationPoint:
    """The model after ``step`` steps. Shares are of the requests of each kind, None without any.

    ``harm``: harmful requests complied with. ``over_refusal``: others that were refused or got a
    degenerate answer. ``degenerate``: of all answers. ``length``: mean of the answers, in tokens.
    ``divergence``: from the base model along its own answers, in nats a token. ``accuracy``: of a
    reward model. ``sound``: neither divergence nor degenerate answers exceed their limits;
    ``allowed``: harm does not either.
    """

    step: int
    harm: float | None = None
    over_refusal: float | None = None
    degenerate: float | None = None
    length: float | None = None
    divergence: float | None = None
    accuracy: float | None = None
    sound: bool = True
    allowed: bool = True

    @property
    def cost(self) -> tuple[bool, bool, float, int]:
        """The lower the better: limits first, then what is to be least, then fewer steps."""
        if self.accuracy is not None:
            return False, False, -self.accuracy, self.step
        aim = self.over_refusal if self.allowed else self.harm
        return not self.sound, not self.allowed, 0.0 if aim is None else aim, self.step


@dataclass(frozen=True, slots=True)
class ValidationLimits:
    """``harm`` None: half of the share before training. ``divergence`` None: any."""

    harm: float | None = None
    divergence: float | None = None


@dataclass(frozen=True, slots=True)
class ValidationRequest:
    """A request: what it asks, and whether it should be refused."""

    messages: tuple[Message, ...]
    exchange: Exchange


def validation_requests(records: Sequence[Mapping[str, Any]]) -> list[ValidationRequest]:
    """Requests of records: a prompt or messages, ``expect`` "refuse" or "answer" (default).

    Raises:
        InputError: no prompt, or another ``expect``.
    """
    made = []
    for number, record in enumerate(records, 1):
        messages = question_of(record)
        expect = record.get("expect", "answer")
        if not messages:
            raise InputError(f"record {number} has no prompt", expected="prompt, or messages")
        if expect not in ("refuse", "answer"):
            raise InputError(f"record {number}: expect is {expect!r}", expected="refuse or answer")
        text = messages[-1].content
        made.append(
            ValidationRequest(
                messages,
                Exchange(
                    text, text, "", expect, str(record.get("category", "")),
                    str(record.get("language", "en")),
                ),
            )
        )  # fmt: skip
    return made


class ChatMeasure:
    """Measures a chat model with an adapter on validation requests."""

    def __init__(
        self,
        tokenizer: Any,
        requests: Sequence[ValidationRequest],
        judge: Judging,
        *,
        max_tokens: int,
    ) -> None:
        self._tokenizer = tokenizer
        self._requests = requests
        self._judge = judge
        self._most = max_tokens

    def __call__(self, model: Any, step: int) -> ValidationPoint:
        """Greedy answers, judged."""
        texts = [question_text(self._tokenizer, one.messages) for one in self._requests]
        asked = encode(self._tokenizer, texts)
        with evaluating(model), torch.no_grad():
            written = continuations(model, self._tokenizer, asked, self._most)
            divergence = _divergence(model, asked, written)
        answers = [text_of(self._tokenizer, ids) for ids in written]
        judged = self._judge([
            Exchange(
                one.exchange.request, one.exchange.prompt, answer, one.exchange.expect,
                one.exchange.category, one.exchange.language,
            )
            for one, answer in zip(self._requests, answers, strict=True)
        ])  # fmt: skip
        loops = [is_degenerate(answer) for answer in answers]
        failures: dict[str, list[float]] = {"refuse": [], "answer": []}
        for one, judgement, loop in zip(self._requests, judged, loops, strict=True):
            due = one.exchange.expect == "answer"
            failures[one.exchange.expect].append(1.0 if due and loop else judgement.outcome)
        return ValidationPoint(
            step,
            harm=_mean(failures["refuse"]),
            over_refusal=_mean(failures["answer"]),
            degenerate=_mean([float(one) for one in loops]),
            length=_mean([float(len(ids)) for ids in written]),
            divergence=divergence,
        )


class PairMeasure:
    """Measures a reward model on validation pairs; a tie counts as half."""

    def __init__(self, pairs: Sequence[ExamplePair]) -> None:
        self._pairs = pairs

    def __call__(self, model: Any, step: int) -> ValidationPoint:
        """Share of the pairs whose better answer scores higher."""
        with evaluating(model):
            better = reward_scores(model, [one.chosen for one in self._pairs])
            worse = reward_scores(model, [one.rejected for one in self._pairs])
        right = (better > worse).double() + (better == worse).double() / 2
        return ValidationPoint(step, accuracy=float(right.mean()))


class Validation:
    """Measures a model in training, and keeps the best state in a folder, over kills too."""

    def __init__(
        self,
        measure: Callable[[Any, int], ValidationPoint],
        limits: ValidationLimits,
        folder: Path,
        *,
        every: int,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Args: ``measure`` a model, ``every`` so many steps; ``folder``: of the best state.

        Raises:
            InputError: an earlier run's points in the folder are not usable.
        """
        self._measure = measure
        self._limits = limits
        self._folder = folder
        self._every = every
        self._say = say
        self.points: list[ValidationPoint] = []
        path = folder / _POINTS
        if path.is_file():
            try:
                self.points = [ValidationPoint(**one) for one in orjson.loads(path.read_bytes())]
            except (orjson.JSONDecodeError, TypeError):
                raise InputError("is not usable", file=str(path), field="--resume") from None

    @property
    def chosen(self) -> ValidationPoint | None:
        """The best point so far, the earliest of equals."""
        kept = [one for one in self.points if self._state(one.step).is_file()]
        return min(kept, key=lambda one: one.cost, default=None)

    def begin(self, model: Any) -> None:
        """Measure the model before training, unless that was done before a kill."""
        if not self.points:
            self._add(model, self._measure(model, 0))

    def after_step(self, model: Any, step: int, *, last: bool) -> bool:
        """Measure where it is time to; whether training should stop: the divergence is spent."""
        if step % self._every and not last:
            return False
        point = self._add(model, self._measure(model, step))
        spent = self._spent(point)
        if spent:
            self._say(f"stopped after step {step}: the divergence exceeds the budget")
        return spent

    def restore(self, model: Any) -> ValidationPoint | None:
        """Put the chosen state into the model; the point, None where nothing was measured."""
        best = self.chosen
        if best is None:
            return None
        state = load_file(self._state(best.step))
        with torch.no_grad():
            for name, one in model.named_parameters():
                if one.requires_grad:
                    one.copy_(state[name])
        return best

    def _spent(self, point: ValidationPoint) -> bool:
        budget = self._limits.divergence
        return budget is not None and (point.divergence or 0.0) > budget

    def _held(self, point: ValidationPoint) -> ValidationPoint:
        """The point, with what its limits say; those that are relative are of step 0."""
        before = next((one for one in self.points if one.step == 0), point)
        most = self._limits.harm
        if most is None and before.harm is not None:
            most = before.harm / 2
        loops = (point.degenerate or 0.0) > (before.degenerate or 0.0) + MOST_DEGENERATE
        sound = not loops and not self._spent(point)
        little = most is None or point.harm is None or point.harm <= most
        return replace(point, sound=sound, allowed=sound and little)

    def _add(self, model: Any, measured: ValidationPoint) -> ValidationPoint:
        point = self._held(measured)
        self._state(point.step).unlink(missing_ok=True)  # of a run before a kill
        best = self.chosen
        self._folder.mkdir(parents=True, exist_ok=True)
        if best is None or point.cost < best.cost:
            trained = {
                name: one.detach().cpu().contiguous()
                for name, one in model.named_parameters()
                if one.requires_grad
            }
            part = self._folder / ".state.part"
            save_file(trained, part)
            part.replace(self._state(point.step))
        self.points = [one for one in self.points if one.step != point.step] + [point]
        content = orjson.dumps([asdict(one) for one in self.points])
        write_whole(self._folder / _POINTS, content + b"\n", "--out")
        if best is not None and point.cost < best.cost:
            self._state(best.step).unlink(missing_ok=True)
        self._say(_told(point))
        return point

    def _state(self, step: int) -> Path:
        return self._folder / f"state-{step}.safetensors"


def _divergence(
    model: Any, asked: Sequence[Sequence[int]], written: Sequence[Sequence[int]]
) -> float | None:
    """Kullback-Leibler divergence from the base model along the model's own answers."""
    examples = [
        TrainingExample((*question, *answer), len(question), number)
        for number, (question, answer) in enumerate(zip(asked, written, strict=True))
        if answer
    ]
    total, tokens = 0.0, 0
    for part in parts(model, examples, range(len(examples))):
        picked = [examples[place] for place in part]
        with model.disable_adapter():
            base = [one.log_softmax(1) for one in answer_logits(model, picked)]
        for changed, plain in zip(answer_logits(model, picked), base, strict=True):
            total += float(kl_div(plain, changed.log_softmax(1), reduction="sum", log_target=True))
            tokens += len(changed)
    return max(0.0, total / tokens) if tokens else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _told(point: ValidationPoint) -> str:
    names = {
        "harm": "harm", "over_refusal": "over-refusal", "degenerate": "degenerate",
        "divergence": "divergence", "accuracy": "accuracy",
    }  # fmt: skip
    shown = [
        f"{said} {getattr(point, name):.3f}"
        for name, said in names.items()
        if getattr(point, name) is not None
    ]
    return f"validation after step {point.step}: {', '.join(shown)}"
