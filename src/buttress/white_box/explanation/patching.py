"""Activation patching: at which layers an attack changes the answer (Meng et al. 2022, Vig 2020).

The tokens that the chat template puts behind the prompt are the same in both prompts, so their
states can be exchanged. One batched pass has a row for each layer, in which that layer alone gets
the other prompt's states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.white_box.explanation.scored_answer import ScoredAnswer
from buttress.white_box.residual import changed_before, decoder_layers, recorded

ROWS: Final = 16  # layers in a pass


@dataclass(frozen=True, slots=True)
class PatchedLayers:
    """Scores of the answer in nats: of both prompts, and of each with the other's states.

    ``undone`` are those of the attacked prompt with the plain prompt's states entering one layer,
    ``induced`` those of the plain prompt with the attacked one's; one for each layer. ``tokens`` is
    the number of exchanged tokens, from the last before the answer backwards.
    """

    attacked: float
    plain: float
    undone: tuple[float, ...]
    induced: tuple[float, ...]
    tokens: int


def patch_layers(attacked: ScoredAnswer, plain: ScoredAnswer) -> PatchedLayers:
    """Exchange states of two prompts for one answer.

    Raises:
        InputError: the answers differ in their tokens.
    """
    if attacked.answer != plain.answer:
        raise InputError("the answer has other tokens behind it", field="--plain",
                         expected="a prompt in the same template")  # fmt: skip
    tokens = _shared_tail(attacked.question, plain.question, _behind(attacked), _behind(plain))
    return PatchedLayers(
        attacked=attacked.intact_score(),
        plain=plain.intact_score(),
        undone=_patched(attacked, _states(plain, tokens), tokens),
        induced=_patched(plain, _states(attacked, tokens), tokens),
        tokens=tokens,
    )


def _behind(scored: ScoredAnswer) -> int:
    """Tokens behind the prompt, the template's."""
    return len(scored.question) - 1 - scored.places[-1]


def _shared_tail(one: Sequence[int], other: Sequence[int], *behind: int) -> int:
    """Last tokens that are the template's and the same in both; the last one at least."""
    count = 0
    while count < min(behind) and one[-1 - count] == other[-1 - count]:
        count += 1
    return max(1, count)


def _states(scored: ScoredAnswer, tokens: int) -> list[Tensor]:
    """What enters each layer at the last tokens of the question, each (tokens, size)."""
    layers = range(len(decoder_layers(scored.model)))
    with recorded(scored.model, layers) as streams, torch.no_grad():
        scored.model(inputs_embeds=scored.embedded[None], use_cache=False)
    return [streams[layer][0, -tokens:] for layer in layers]


def _patched(scored: ScoredAnswer, states: Sequence[Tensor], tokens: int) -> tuple[float, ...]:
    end = len(scored.question)
    found: list[float] = []

    def put(row: int, state: Tensor) -> Callable[[Tensor], Tensor]:
        def change(stream: Tensor) -> Tensor:
            stream = stream.clone()
            stream[row, end - tokens : end] = state.to(stream)
            return stream

        return change

    for start in range(0, len(states), ROWS):
        chosen = range(start, min(start + ROWS, len(states)))
        with ExitStack() as stack:
            for row, layer in enumerate(chosen):
                stack.enter_context(changed_before(scored.model, layer, put(row, states[layer])))
            with torch.no_grad():
                found += scored.score(scored.without([[]] * len(chosen))).tolist()
    return tuple(found)
