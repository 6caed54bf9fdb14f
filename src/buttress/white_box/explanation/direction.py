"""What a refusal direction does to one answer: how far each layer lies along it, ablated, added."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from buttress.white_box.explanation.scored_answer import ScoredAnswer
from buttress.white_box.residual import ablated, added, decoder_layers, recorded


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
    whole = scored.intact_score()
    with ablated(scored.model, difference):
        without = scored.intact_score()
    with added(scored.model, difference, layer):
        more = scored.intact_score()
    return DirectionEffect(whole, without, more, layer, _along(scored, difference))


def _along(scored: ScoredAnswer, difference: Tensor) -> tuple[float, ...]:
    unit = (difference / difference.norm()).to(scored.embedded)
    layers = range(len(decoder_layers(scored.model)))
    with recorded(scored.model, layers) as streams, torch.no_grad():
        scored.model(inputs_embeds=scored.embedded[None], use_cache=False)
    last = [streams[layer][0, -1] for layer in layers]
    return tuple(float(one @ unit) / max(float(one.norm()), 1e-12) for one in last)
