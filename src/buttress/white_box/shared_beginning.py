"""Passes over many rows of tokens that begin alike: what they share is computed once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from buttress.white_box.prefix_cache import Pairs, cache_of, prefix_pairs

_LEAST_SHARED: Final = 4  # tokens from which a cache saves anything
_TRIED: Final = 4  # rows that are computed both ways
_SAME: Final = 1e-3  # nats between both ways


@dataclass(frozen=True, slots=True)
class Beginning:
    """Tokens with which all rows begin, and their keys and values; 0 and None: nothing is shared."""

    tokens: int = 0
    pairs: Pairs | None = None

    def logits(self, model: Any, rows: Sequence[Sequence[int]]) -> Tensor:
        """Logits of the tokens behind the beginning.

        Args:
            model: causal language model of transformers.
            rows: token ids, each longer than the beginning.

        Returns:
            Shape (rows, width, vocabulary); padded on the right, which no token of a row can see.
        """
        width = max(map(len, rows)) - self.tokens
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), self.tokens + width, dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, : len(row) - self.tokens] = torch.tensor(list(row[self.tokens :]))
            mask[place, : len(row)] = 1
        options: dict[str, Any] = {
            "input_ids": ids.to(model.device), "attention_mask": mask.to(model.device)
        }  # fmt: skip
        if self.pairs is not None:
            options["past_key_values"] = cache_of(self.pairs, len(rows))
            options["use_cache"] = True
        elif "use_cache" in inspect.signature(model.forward).parameters:
            options["use_cache"] = False
        found: Tensor = model(**options).logits
        return found


# Scores of rows, of which the first tokens are given, behind a beginning.
Scores = Callable[[Sequence[Sequence[int]], Sequence[int], Beginning], Sequence[float]]


def beginning_of(
    model: Any, rows: Sequence[Sequence[int]], given: Sequence[int], scores: Scores
) -> Beginning:
    """What all rows begin with, and behind which each has a given token, where that can be kept.

    The first rows are scored both ways to find out whether the model gives the same.
    """
    shared = _shared(rows, given) if len(rows) > 2 * _TRIED else 0
    if shared < _LEAST_SHARED:
        return Beginning()
    ids = torch.tensor([list(rows[0][:shared])], device=model.device)
    pairs = prefix_pairs(model, model.get_input_embeddings()(ids))
    if pairs is None:
        return Beginning()
    tried, firsts, kept = rows[:_TRIED], given[:_TRIED], Beginning(shared, pairs)
    try:
        short = scores(tried, firsts, kept)
    except (TypeError, ValueError, AttributeError, IndexError, RuntimeError):
        return Beginning()
    whole = scores(tried, firsts, Beginning())
    same = all(abs(one - other) <= _SAME for one, other in zip(short, whole, strict=True))
    return kept if same else Beginning()


def _shared(rows: Sequence[Sequence[int]], given: Sequence[int]) -> int:
    first, last = min(map(list, rows)), max(map(list, rows))
    common = next((at for at in range(len(first)) if first[at] != last[at]), len(first))
    return min(common, min(given) - 1)
