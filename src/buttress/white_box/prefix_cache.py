"""Keys and values of tokens that never change, computed once for many passes."""

from __future__ import annotations

from typing import Any

import torch
import transformers as untyped
from torch import Tensor

transformers: Any = untyped  # partly without types
Pairs = list[tuple[Tensor, Tensor]]  # keys and values, each (1, heads, tokens, size), by layer


@torch.no_grad()
def prefix_pairs(model: Any, prefix: Tensor, **options: Any) -> Pairs | None:
    """Keys and values of the embedded ``prefix``, shape (1, tokens, size).

    Args:
        model: decoder of transformers.
        prefix: what every pass begins with.
        options: further arguments of the model.

    Returns:
        None for an architecture that does not keep them in each layer. Whether a pass with them
        gives the same as a whole pass is for the caller to prove.
    """
    cache = transformers.DynamicCache()
    try:
        model(inputs_embeds=prefix, past_key_values=cache, use_cache=True, **options)
        pairs = [(layer.keys, layer.values) for layer in cache.layers]
        layers = model.config.get_text_config().num_hidden_layers
    except (TypeError, ValueError, AttributeError, IndexError, RuntimeError):
        return None
    return pairs if len(pairs) == layers and all(key is not None for key, _ in pairs) else None


def cache_of(pairs: Pairs, rows: int) -> Any:
    """A cache of transformers with the same content for each row."""
    cache = transformers.DynamicCache()
    for layer, (keys, values) in enumerate(pairs):
        cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
    return cache
