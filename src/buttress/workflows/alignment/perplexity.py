"""Perplexity of the unchanged model's own ordinary answers, under it and under the changed one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from buttress.answers.degenerate import is_degenerate
from buttress.documents.alignment import PerplexityChange
from buttress.evidence.records import Trial
from buttress.targets.base import Message
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.intervention_files import load_steering
from buttress.white_box.loading import load
from buttress.white_box.residual import added
from buttress.white_box.token_statistics import token_statistics


def mean_loss(
    weights: Path,
    trials: Sequence[Trial],
    *,
    system_prompt: str,
    device: str,
    steering: Path | None = None,
) -> tuple[float, int]:
    """Mean negative log-likelihood of the answers in nats a token, and the number of tokens.

    Raises:
        InputError: the weights or the steering vector are not usable.
    """
    model, tokenizer = load(weights, device=device)
    system = (Message("system", system_prompt),) if system_prompt else ()
    questions = [
        question_text(tokenizer, (*system, Message("user", trial.request))) for trial in trials
    ]
    asked = encode(tokenizer, questions)
    whole = encode(
        tokenizer, [q + trial.answer for q, trial in zip(questions, trials, strict=True)]
    )
    changed: AbstractContextManager[None] = nullcontext()
    if steering is not None:
        found = load_steering(steering)
        changed = added(model, found.vector * found.strength, found.layer)
    total, tokens = 0.0, 0
    with changed:
        for _, one in token_statistics(model, whole, given=[len(row) for row in asked]):
            total -= sum(one.log_probabilities)
            tokens += len(one.log_probabilities)
    return total / max(1, tokens), tokens


def usable_answers(trials: Sequence[Trial]) -> list[Trial]:
    """Answers whose perplexity says something."""
    return [one for one in trials if one.outcome < 0.5 and not is_degenerate(one.answer)]


def perplexity_change(
    before: tuple[float, int], after: tuple[float, int], margin: float
) -> PerplexityChange:
    """From the mean losses of both sides."""
    change = math.exp(min(after[0] - before[0], 50.0)) - 1
    return PerplexityChange(
        before=math.exp(min(before[0], 50.0)),
        after=math.exp(min(after[0], 50.0)),
        change=change,
        margin=margin,
        tokens=before[1],
        verdict="worse" if change > margin else "no-worse",
    )
