"""A Hugging Face model with interventions that need no training: a refusal gate, steering, or both.

The gate decides on the question alone, before a word is written, so that words put into the
answer's mouth do not reach it. What it lets pass is answered with the steering vector added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

from buttress.answers.language import language_of
from buttress.errors import InputError
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.batching import Generate
from buttress.targets.generation import Generator
from buttress.targets.huggingface import HuggingFaceTarget, Surround
from buttress.targets.huggingface import create as huggingface
from buttress.white_box.gate import Gate, question_of
from buttress.white_box.hidden_states import hidden_states
from buttress.white_box.intervention_files import Steering, load_gate, load_steering
from buttress.white_box.residual import added

REFUSED_BY: Final = "gate"
PlainAnswer = Callable[[str, Request], Answer | None]


def create(
    *,
    gate: str | Path | None = None,
    steering: str | Path | None = None,
    **settings: Any,
) -> InterventionTarget:
    """The model in a Hugging Face folder with a gate or a steering vector.

    Args:
        gate: file of a gate that was fitted to these weights.
        steering: file of a steering vector that was found on these weights.
        settings: those of the target ``huggingface``.

    Raises:
        InputError: a setting is not usable, or a file belongs to other weights.
        MissingExtraError: transformers or torch is not installed.
    """
    plain = huggingface(**settings)
    read = {name: Path(path) for name, path in (("gate", gate), ("steering", steering)) if path}
    found_gate = load_gate(read["gate"]) if "gate" in read else None
    found_steering = load_steering(read["steering"]) if "steering" in read else None
    for name, found in (("gate", found_gate), ("steering", found_steering)):
        if found is not None and found.identity != plain.identity:
            raise InputError(
                "was made for other weights", file=str(read[name]), field=name,
                expected=f"one for {plain.identity}",
            )  # fmt: skip
    digest = hashlib.sha256()
    for name, path in sorted(read.items()):
        digest.update(f"{name} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return InterventionTarget(plain, found_gate, found_steering, digest.hexdigest())


class InterventionTarget:
    """A model in this process whose answers a gate and a steering vector change."""

    needs_no_timeout = True

    def __init__(
        self,
        plain: HuggingFaceTarget,
        gate: Gate | None,
        steering: Steering | None,
        digest: str,
    ) -> None:
        """``plain`` must not have been asked yet; ``digest`` is that of the files of both."""
        self._plain = plain
        self._gate = gate
        self._steering = steering
        self._digest = digest
        self._known: PlainAnswer | None = None
        plain.change_answers(self._answering)

    @property
    def name(self) -> str:
        """The model's."""
        return self._plain.name

    @property
    def identity(self) -> str:
        """Digest over the model and over its interventions."""
        return f"{self._plain.identity}+interventions:{self._digest}"

    @property
    def stable(self) -> bool:
        """True: the digests pin model and interventions."""
        return self._plain.stable

    @property
    def concurrency(self) -> int:
        """As the model."""
        return self._plain.concurrency

    def surround(self, context: Surround) -> None:
        """Compute gate and answers inside ``context``; before the first question."""
        self._plain.surround(context)

    def reuse(self, known: PlainAnswer) -> None:
        """Take answers of the unchanged model from ``known`` where a gate lets a question pass.

        ``known`` gets the unchanged model's identity and the question; None where it has none. A
        steered model says something else, so with a steering vector nothing is reused.
        """
        self._known = known if self._steering is None else None

    async def answer(self, request: Request) -> Answer:
        """Generate one answer, or refuse in the model's place.

        Raises:
            TargetError: the question doesn't fit the context, or the runtime failed.
            InputError: the folder is no usable model, or the vector doesn't fit it.
        """
        return await self._plain.answer(request)

    async def aclose(self) -> None:
        """End the thread and free the memory."""
        await self._plain.aclose()

    def _answering(self, generator: Generator) -> Generate:
        def answers(requests: Sequence[Request]) -> Sequence[Answer | TargetError]:
            made: list[Answer | TargetError | None] = [None] * len(requests)
            for place, refusal in self._refused(generator, requests).items():
                made[place] = refusal
            for place, one in enumerate(made):
                if one is None and self._known is not None:
                    made[place] = self._known(self._plain.identity, requests[place])
            rest = [place for place, one in enumerate(made) if one is None]
            if rest:
                with self._steered(generator):
                    passed = generator.generate([requests[place] for place in rest])
                for place, answer in zip(rest, passed, strict=True):
                    made[place] = answer
            return [one for one in made if one is not None]

        return answers

    def _steered(self, generator: Generator) -> AbstractContextManager[None]:
        if self._steering is None:
            return nullcontext()
        vector = self._steering.vector * self._steering.strength
        return added(generator.model, vector, self._steering.layer)

    def _refused(self, generator: Generator, requests: Sequence[Request]) -> dict[int, Answer]:
        if self._gate is None:
            return {}
        asked = {at: question_of(one.messages) for at, one in enumerate(requests)}
        asked = {at: messages for at, messages in asked.items() if messages}
        if not asked:
            return {}
        states = hidden_states(
            generator.model, generator.tokenizer, list(asked.values()), layers=self._gate.layers
        )
        refused = {}
        for (place, messages), odds in zip(asked.items(), self._gate.log_odds(states), strict=True):
            if odds > self._gate.threshold:
                text = self._gate.refusal(language_of(messages[-1].content))
                refused[place] = Answer(text, refused_by=REFUSED_BY)
        return refused
