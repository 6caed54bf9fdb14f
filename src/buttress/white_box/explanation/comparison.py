"""What training changed: two models, or one without and with an adapter, on the same requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.answers import continuations
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.explanation.lens import layer_reader
from buttress.white_box.hidden_states import hidden_states_of_rows
from buttress.white_box.likelihood import answer_logits
from buttress.white_box.refusal_direction import difference_in_means, induced_log_odds


@dataclass(frozen=True, slots=True)
class ModelVariant:
    """A model as it is inside ``active``."""

    model: Any
    active: Callable[[], AbstractContextManager[Any]] = nullcontext


@dataclass(frozen=True, slots=True)
class AnswerDivergence:
    """Divergences at the tokens of an answer that the first model gave.

    Kullback-Leibler, first to second, in nats, of the distribution of each next token.
    """

    request: str
    tokens: tuple[str, ...]
    divergences: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer at the last token before the answer, as a mean over requests.

    ``divergence`` is that of the next token as the logit lens reads it, in nats; ``turned`` is one
    less the cosine of the states of both models.
    """

    layer: int
    divergence: float
    turned: float


@dataclass(frozen=True, slots=True)
class DirectionChange:
    """The difference in means of harmful and benign requests that enters a layer.

    ``cosine`` is that of both models' differences; ``induced_before`` and ``induced_after`` are the
    log odds of refusing a benign request with it added; None where there is none.
    """

    layer: int
    cosine: float | None
    induced_before: float | None
    induced_after: float | None


def compare_answers(
    before: ModelVariant,
    after: ModelVariant,
    tokenizer: Any,
    requests: Sequence[str],
    *,
    tokens: int = 24,
) -> list[AnswerDivergence]:
    """Divergences along the first model's greedy answers, at most ``tokens`` long.

    Raises:
        InputError: the models have other tokens.
    """
    rows = _rows(tokenizer, requests)
    with before.active():
        answers = continuations(before.model, tokenizer, rows, tokens)
        kept = [at for at, answer in enumerate(answers) if answer]
        one = _log_probabilities(before.model, tokenizer, rows, answers, kept)
    with after.active():
        other = _log_probabilities(after.model, tokenizer, rows, answers, kept)
    return [
        AnswerDivergence(
            requests[at],
            tuple(tokenizer.decode([token]) for token in answers[at]),
            tuple(_divergence(first, second).tolist()),
        )
        for at, first, second in zip(kept, one, other, strict=True)
    ]


def compare_layers(
    before: ModelVariant, after: ModelVariant, tokenizer: Any, requests: Sequence[str]
) -> list[LayerChange]:
    """Changes of what enters each layer, and of what leaves the last one.

    Raises:
        InputError: the models have other layers, or these can't be read.
    """
    rows = _rows(tokenizer, requests)
    states, logits = [], []
    for variant in (before, after):
        with variant.active(), torch.no_grad():
            found = hidden_states_of_rows(variant.model, tokenizer, rows).last
            read, device = layer_reader(variant.model), variant.model.device
            dtype = variant.model.get_input_embeddings().weight.dtype
            logits.append([
                read(found[:, layer].to(device, dtype)).cpu() for layer in range(found.shape[1])
            ])  # fmt: skip
            states.append(found)
    if states[0].shape != states[1].shape:
        raise InputError("the models have other layers", field="--compare", expected="the same")
    turned = 1 - torch.nn.functional.cosine_similarity(states[0], states[1], dim=2).mean(0)
    return [
        LayerChange(
            layer,
            float(_divergence(one.log_softmax(1), other.log_softmax(1)).mean()),
            float(turned[layer]),
        )
        for layer, (one, other) in enumerate(zip(*logits, strict=True))
    ]


def compare_directions(
    before: ModelVariant,
    after: ModelVariant,
    tokenizer: Any,
    requests: tuple[Sequence[str], Sequence[str]],
    benign: Sequence[str],
) -> list[DirectionChange]:
    """Refusal directions of both models, layer by layer.

    Args:
        before: the first model.
        after: the second.
        tokenizer: of both.
        requests: harmful and benign, which the directions come from.
        benign: others, on which refusals may be induced.
    """
    differences, induced = [], []
    for variant in (before, after):
        with variant.active():
            found = difference_in_means(variant.model, tokenizer, *requests)[:, 0]
            differences.append(found)
            induced.append(induced_log_odds(variant.model, tokenizer, found, benign))
    cosines = torch.nn.functional.cosine_similarity(differences[0], differences[1], dim=1)
    lengths = torch.minimum(differences[0].norm(dim=1), differences[1].norm(dim=1))
    return [
        DirectionChange(layer, float(cosines[layer]) if float(lengths[layer]) > 0 else None, *odds)
        for layer, odds in enumerate(zip(*induced, strict=True))
    ]


def _rows(tokenizer: Any, requests: Sequence[str]) -> list[list[int]]:
    return encode(tokenizer, [question_text(tokenizer, (Message("user", t),)) for t in requests])


def _log_probabilities(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    kept: Sequence[int],
) -> list[Tensor]:
    found: list[Tensor] = [torch.empty(0)] * len(kept)
    questions, given = [rows[at] for at in kept], [answers[at] for at in kept]
    for chosen, logits in answer_logits(model, tokenizer, questions, given, 4):
        for index, row in zip(chosen, logits, strict=True):
            found[index] = row.log_softmax(1).cpu()
    return found


def _divergence(first: Tensor, second: Tensor) -> Tensor:
    """Kullback-Leibler divergence of rows of log probabilities, in nats, never below 0."""
    if first.shape != second.shape:
        raise InputError("the models have other tokens", field="--compare", expected="the same")
    return (first.exp() * (first - second)).sum(-1).clamp(min=0)
