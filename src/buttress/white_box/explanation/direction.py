"""What a refusal direction does to one answer: how far each layer lies along it, ablated, added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from buttress.white_box.explanation.scored_answer import ScoredAnswer
from buttress.white_box.residual import ablated, added, decoder_layers


@dataclass(frozen=True, slots=True)
class DirectionEffect:
    """Scores of the answer in nats: as it is, without the direction anywhere, with it added.

    ``along`` is, for what enters each layer at the last token before the answer, the component
    along the direction as a share of its length, from -1 to 1.
    """

    score: float
    ablated: float
    added: float
    layer: int
    along: tuple[float, ...]


def direction_effect(scored: ScoredAnswer, difference: Tensor, layer: int) -> DirectionEffect:
    """The effect on one answer.

    Args:
        scored: the answer.
        difference: shape (size,), the direction at the length at which it is added.
        layer: the layer before which it is added.

    Raises:
        InputError: not of the model's size, or no such layer.
    """
    whole = scored.scores_without([[]])[0]
    with ablated(scored.model, difference):
        without = scored.scores_without([[]])[0]
    with added(scored.model, difference, layer):
        more = scored.scores_without([[]])[0]
    return DirectionEffect(whole, without, more, layer, _along(scored, difference))


def _along(scored: ScoredAnswer, difference: Tensor) -> tuple[float, ...]:
    unit = (difference / difference.norm()).to(scored.embedded)
    found: list[float] = []

    def hook(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        stream = (given[0] if given else named["hidden_states"])[0, -1]
        found.append(float(stream @ unit) / max(float(stream.norm()), 1e-12))

    handles = [
        layer.register_forward_pre_hook(hook, with_kwargs=True)
        for layer in decoder_layers(scored.model)
    ]
    try:
        with torch.no_grad():
            scored.model(inputs_embeds=scored.embedded[None], use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(found)
