"""Log-probabilities of many continuations of one beginning: what they share is computed once."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from buttress.white_box.loading import evaluating
from buttress.white_box.prefix_cache import Pairs, cache_of, prefix_pairs

_LOGITS: Final = 50_000_000  # of a batch: 200 MB in float32
_LEAST_SHARED: Final = 4  # tokens from which a cache saves anything
_TRIED: Final = 4  # continuations that are computed both ways
_SAME: Final = 1e-3  # nats between both ways


@torch.no_grad()
def continuation_scores(
    model: Any, rows: Sequence[Sequence[int]], given: Sequence[int]
) -> list[float]:
    """Log-probability of each row's tokens after its first ``given``, in nats.

    The tokens with which all rows begin are computed once, where the model gives the same that way;
    the first continuations are computed both ways to find out.

    Args:
        model: causal language model of transformers.
        rows: token ids, each longer than its ``given``.
        given: how many tokens of each row are given, at least 1.

    Raises:
        ValueError: a row has nothing to score, or nothing is given.
    """
    if any(not 1 <= first < len(row) for row, first in zip(rows, given, strict=True)):
        raise ValueError("each row needs a given token and one to score")
    if not rows:
        return []
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    scores = [0.0] * len(rows)
    with evaluating(model):
        shared = _shared(rows, given)
        pairs = _pairs(model, rows, given, shared) if shared >= _LEAST_SHARED else None
        begin = shared if pairs is not None else 0
        most = _LOGITS // int(model.config.get_text_config().vocab_size)
        while order:
            longest = len(rows[order[-1]]) - begin
            size = max(1, most // longest)
            order, batch = order[:-size], order[-size:]
            found = _batch(model, [rows[i] for i in batch], [given[i] for i in batch], begin, pairs)
            for index, score in zip(batch, found, strict=True):
                scores[index] = score
    return scores


def _shared(rows: Sequence[Sequence[int]], given: Sequence[int]) -> int:
    """Tokens with which all rows begin and behind which each has a given one."""
    first, last = min(map(list, rows)), max(map(list, rows))
    common = next((at for at in range(len(first)) if first[at] != last[at]), len(first))
    return min(common, min(given) - 1)


def _pairs(
    model: Any, rows: Sequence[Sequence[int]], given: Sequence[int], shared: int
) -> Pairs | None:
    """Keys and values of the shared tokens; None where they don't give what a whole pass does."""
    ids = torch.tensor([list(rows[0][:shared])], device=model.device)
    pairs = prefix_pairs(model, model.get_input_embeddings()(ids))
    if pairs is None:
        return None
    tried, firsts = rows[:_TRIED], given[:_TRIED]
    try:
        short = _batch(model, tried, firsts, shared, pairs)
    except (TypeError, ValueError, AttributeError, IndexError, RuntimeError):
        return None
    whole = _batch(model, tried, firsts, 0, None)
    same = all(abs(one - other) <= _SAME for one, other in zip(short, whole, strict=True))
    return pairs if same else None


def _batch(
    model: Any, rows: Sequence[Sequence[int]], given: Sequence[int], begin: int, pairs: Pairs | None
) -> list[float]:
    """Scores of rows that are padded on the right; ``begin`` tokens stand in the cache."""
    width = max(map(len, rows)) - begin
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), begin + width, dtype=torch.long)
    scored = torch.zeros(len(rows), width, dtype=torch.bool)
    for place, (row, first) in enumerate(zip(rows, given, strict=True)):
        ids[place, : len(row) - begin] = torch.tensor(list(row[begin:]))
        mask[place, : len(row)] = 1
        scored[place, first - begin : len(row) - begin] = True
    options: dict[str, Any] = {
        "input_ids": ids.to(model.device), "attention_mask": mask.to(model.device)
    }  # fmt: skip
    if pairs is not None:
        options["past_key_values"] = cache_of(pairs, len(rows))
        options["use_cache"] = True
    elif "use_cache" in inspect.signature(model.forward).parameters:
        options["use_cache"] = False
    logits = model(**options).logits
    targets, wanted = ids[:, 1:].to(logits.device), scored[:, 1:].to(logits.device)
    return _summed(logits[:, :-1], targets, wanted)


def _summed(logits: Tensor, targets: Tensor, wanted: Tensor) -> list[float]:
    """Sum over each row's wanted places of the targets' log-probability."""
    chosen = logits[wanted].float()
    logs = chosen.gather(1, targets[wanted][:, None])[:, 0] - chosen.logsumexp(1)
    sums = torch.zeros(wanted.shape, dtype=torch.float32, device=logits.device)
    sums[wanted] = logs
    found: list[float] = sums.sum(1).tolist()
    return found
