"""Log-probabilities of many continuations of one beginning: what they share is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor

from buttress.white_box.loading import evaluating
from buttress.white_box.shared_beginning import Beginning, beginning_of

_LOGITS: Final = 50_000_000  # of a batch: 200 MB in float32


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
    found = [0.0] * len(rows)
    with evaluating(model):
        scores = partial(_scored, model)
        beginning = beginning_of(model, rows, given, scores)
        most = _LOGITS // int(model.config.get_text_config().vocab_size)
        while order:
            longest = len(rows[order[-1]]) - beginning.tokens
            size = max(1, most // longest)
            order, batch = order[:-size], order[-size:]
            scored = scores([rows[i] for i in batch], [given[i] for i in batch], beginning)
            for index, score in zip(batch, scored, strict=True):
                found[index] = score
    return found


def _scored(
    model: Any, rows: Sequence[Sequence[int]], given: Sequence[int], beginning: Beginning
) -> list[float]:
    logits = beginning.logits(model, [row[:-1] for row in rows])  # a row's last predicts nothing
    targets = torch.zeros(logits.shape[:2], dtype=torch.long)
    wanted = torch.zeros(logits.shape[:2], dtype=torch.bool)
    for place, (row, first) in enumerate(zip(rows, given, strict=True)):
        predicting = slice(first - 1 - beginning.tokens, len(row) - 1 - beginning.tokens)
        targets[place, predicting] = torch.tensor(list(row[first:]))
        wanted[place, predicting] = True
    return _summed(logits, targets.to(logits.device), wanted.to(logits.device))


def _summed(logits: Tensor, targets: Tensor, wanted: Tensor) -> list[float]:
    """Sum over each row's wanted places of the targets' log-probability."""
    chosen = logits[wanted].float()
    logs = chosen.gather(1, targets[wanted][:, None])[:, 0] - chosen.logsumexp(1)
    sums = torch.zeros(wanted.shape, dtype=torch.float32, device=logits.device)
    sums[wanted] = logs
    found: list[float] = sums.sum(1).tolist()
    return found
