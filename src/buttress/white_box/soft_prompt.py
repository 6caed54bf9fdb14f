"""A soft prompt: embeddings in place of words, optimised until the answer begins as told.

Schwinn et al. 2024, arXiv:2402.09063. No text has these embeddings, so only an owner of the weights
can do it; it bounds from above what any suffix of that length can do. MITRE ATLAS AML.T0043.000.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.answers import continuations_of_embeddings, text_of
from buttress.white_box.gcg import INITIAL
from buttress.white_box.layout import PromptLayout
from buttress.white_box.loading import evaluating
from buttress.white_box.passes import Passes


@dataclass(frozen=True, slots=True)
class SoftPromptResult:
    """``embeddings`` (tokens, size) stand behind the last question.

    ``losses`` has the loss before each step and after the last one, in nats per target token;
    ``best_loss`` is the lowest, that of ``embeddings``. ``reached`` says whether the greedy
    ``answer`` begins with the target. ``forward_tokens`` as in ``gcg``.
    """

    embeddings: torch.Tensor
    losses: tuple[float, ...]
    best_loss: float
    reached: bool
    answer: str
    seconds: float
    forward_tokens: int


def soft_prompt(
    model: Any,
    tokenizer: Any,
    messages: Sequence[Message],
    target: str,
    *,
    steps: int = 100,
    step_size: float = 0.001,
    initial: str = INITIAL,
    loss_threshold: float = 0.0,
    answer_tokens: int = 64,
    progress: Callable[[int, float], None] | None = None,
) -> SoftPromptResult:
    """Optimise a suffix's embeddings by the sign of the gradient (the paper's section 3.1).

    Nothing is drawn, so the same arguments give the same result.

    Args:
        model: causal language model of transformers; its weights are not changed.
        tokenizer: its fast tokenizer.
        messages: the conversation; its last message is the user's.
        target: how the answer is to begin.
        steps: of the optimisation.
        step_size: change of each embedding value in a step; 0.001 in the paper.
        initial: text whose embeddings are the start.
        loss_threshold: stop when the loss, in nats per token, is as low as this.
        answer_tokens: length of the answer in the result.
        progress: called with each step and its loss.

    Raises:
        InputError: messages, target, the initial text or a number is not usable.
    """
    if steps < 0 or answer_tokens < 1 or not step_size > 0:
        raise InputError(
            f"{steps}, {step_size}, {answer_tokens} are not usable",
            field="steps, step_size, answer_tokens",
            expected="at least 0, above 0, at least 1",
        )
    start = time.perf_counter()
    with evaluating(model):
        layout = PromptLayout(tokenizer, messages, target, initial)
        passes = Passes(model, layout)
        present = passes.embed(layout.initial)
        best, best_loss = present, float("inf")
        losses: list[float] = []
        for step in range(steps + 1):
            gradient, loss, _ = passes.embedded_gradient(present)
            losses.append(loss)
            if loss < best_loss:
                best, best_loss = present, loss
            if progress is not None:
                progress(step, loss)
            if best_loss <= loss_threshold:
                break
            present = present - step_size * gradient.sign()
        question = torch.cat([passes.embed(layout.before), best, passes.embed(layout.after)])
        ids = continuations_of_embeddings(model, tokenizer, question, answer_tokens)
        answer = text_of(tokenizer, ids)
    return SoftPromptResult(
        embeddings=best,
        losses=tuple(losses),
        best_loss=best_loss,
        reached=answer.startswith(target.strip()),
        answer=answer,
        seconds=time.perf_counter() - start,
        forward_tokens=passes.tokens,
    )
