"""The white-box attacks as methods of one kind: requests in, attacked answers out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from buttress.prompts.base import Prompt
from buttress.targets.base import Message
from buttress.white_box.attempts import CHEAP, DIRECT, AttackedRequest, Method, Settings
from buttress.white_box.likelihood import prefix_log_probabilities
from buttress.white_box.logit_bias import REFUSALS, biased_answers, first_tokens
from buttress.white_box.prefill import prefilled_answers
from buttress.white_box.refusal_direction import Direction
from buttress.white_box.residual import ablated
from buttress.white_box.searches import Gcg, SoftPrompt


@dataclass(frozen=True, slots=True)
class _Batched:
    """What needs no search: plain answers, and those under a change of the model or its output."""

    id: str
    model: Any
    tokenizer: Any
    settings: Settings
    direction: Direction | None = None
    batch: int = 16

    def attempts(
        self, prompts: Sequence[Prompt], say: Callable[[str], None]
    ) -> list[AttackedRequest]:
        start = time.perf_counter()
        chats = [(Message("user", prompt.text),) for prompt in prompts]
        prefixes = [self.settings.prefix(prompt) for prompt in prompts]
        shown = [prompt.text for prompt in prompts]
        say(f"{len(prompts)} answers")
        likely: Sequence[float | None] = [None] * len(prompts)
        changed = nullcontext() if self.direction is None else ablated(
            self.model, self.direction.vector
        )  # fmt: skip
        with changed:
            if self.id == "prefill":
                answers = self._prefilled(chats, prefixes)
                shown = [
                    f"user: {one.text}\n\nassistant: {prefix}"
                    for one, prefix in zip(prompts, prefixes, strict=True)
                ]
            elif self.id == "logit-bias":
                answers = biased_answers(
                    self.model,
                    self.tokenizer,
                    chats,
                    bias=self.settings.bias,
                    first=self.settings.biased_tokens,
                    max_tokens=self.settings.max_tokens,
                    batch=self.batch,
                )
                likely = self._likely(chats, prefixes, biased=True)
            else:
                answers = prefilled_answers(
                    self.model,
                    self.tokenizer,
                    chats,
                    "",
                    max_tokens=self.settings.max_tokens,
                    batch=self.batch,
                )
                likely = self._likely(chats, prefixes)
        share = (time.perf_counter() - start) / len(prompts)
        return [
            AttackedRequest(prompt, answer, one, share)
            for prompt, answer, one in zip(shown, answers, likely, strict=True)
        ]

    def _prefilled(
        self, chats: Sequence[tuple[Message, ...]], prefixes: Sequence[str]
    ) -> list[str]:
        made = [""] * len(chats)
        for prefix in dict.fromkeys(prefixes):
            places = [place for place, one in enumerate(prefixes) if one == prefix]
            answers = prefilled_answers(
                self.model,
                self.tokenizer,
                [chats[place] for place in places],
                prefix,
                max_tokens=self.settings.max_tokens,
                batch=self.batch,
            )
            for place, answer in zip(places, answers, strict=True):
                made[place] = answer
        return made

    def _likely(
        self,
        chats: Sequence[tuple[Message, ...]],
        prefixes: Sequence[str],
        *,
        biased: bool = False,
    ) -> list[float]:
        bias = None
        if biased:
            bias = torch.zeros(self.model.get_output_embeddings().weight.shape[0])
            bias[first_tokens(self.tokenizer, REFUSALS)] = self.settings.bias
        return prefix_log_probabilities(
            self.model,
            self.tokenizer,
            chats,
            prefixes,
            bias=bias,
            first=self.settings.biased_tokens,
            batch=self.batch,
        )


def method(
    name: str,
    model: Any,
    tokenizer: Any,
    settings: Settings,
    *,
    direction: Direction | None = None,
    folder: Path | None = None,
) -> Method:
    """The method ``name``: one of ``METHODS``, or ``DIRECT`` for the model as it is.

    ``direction`` is what refusal-direction takes out; ``folder`` is where gcg keeps checkpoints.

    Raises:
        ValueError: no such method, or it lacks what it needs.
    """
    if name == "gcg" and folder is not None:
        return Gcg(model, tokenizer, settings, folder)
    if name == "soft-prompt":
        return SoftPrompt(model, tokenizer, settings)
    if name in (DIRECT, *CHEAP) and (direction is not None) == (name == "refusal-direction"):
        return _Batched(name, model, tokenizer, settings, direction)
    raise ValueError(f"{name} is no method, or lacks what it needs")
