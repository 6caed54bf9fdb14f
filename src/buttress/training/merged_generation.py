"""Answers drawn from a model with an adapter at the cost of the model without one."""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.tuners_utils import BaseTunerLayer


def merge_while_generating(model: Any) -> None:
    """Let ``model.generate`` add the adapter to the weights first, where that is the same model.

    A layer with an adapter computes three products for each token that is drawn in place of one.
    Afterwards the weights are what they were, bit for bit: copies are kept meanwhile. Models in
    less than 32 bits stay as they are, since the sum would be rounded to other probabilities than
    those that are trained.

    Args:
        model: of PEFT, on one process.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
    weights: list[Any] = [getattr(layer.get_base_layer(), "weight", None) for layer in layers]
    if not all(isinstance(one, torch.Tensor) and one.dtype == torch.float32 for one in weights):
        return
    generate = model.generate

    def merged(*arguments: Any, **options: Any) -> Any:
        kept = [weight.detach().clone() for weight in weights]
        try:
            for layer in layers:
                layer.merge()
            return generate(*arguments, **options)
        finally:
            with torch.no_grad():
                for layer, weight, before in zip(layers, weights, kept, strict=True):
                    layer.unmerge()
                    weight.copy_(before)

    model.generate = merged
