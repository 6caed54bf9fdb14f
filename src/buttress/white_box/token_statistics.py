"""What a loaded model says of each token of a text: log-probability, and what it expected.

One pass gives all that membership attacks need. Texts of like length share a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor

from buttress.white_box.batching import by_length, pass_overhead
from buttress.white_box.loading import evaluating
from buttress.white_box.shared_beginning import Beginning, beginning_of

MAX_TOKENS: Final = 512  # of a text that are scored
_LOGITS: Final = 100_000_000  # of a batch: 400 MB in float32
_IMPOSSIBLE: Final = -1e4  # log-probability in place of minus infinity
_ROWS: Final = 256  # positions whose whole predictions are in memory at once


@dataclass(frozen=True, slots=True)
class TokenStatistics:
    """At each scored token, in nats.

    ``means`` and ``deviations`` are those of the log-probability of a token that is drawn from the
    model's prediction.
    """

    log_probabilities: list[float]
    means: list[float]
    deviations: list[float]


def tokens_of(tokenizer: Any, text: str, limit: int = MAX_TOKENS) -> list[int]:
    """Token ids of a text as training saw it: without a chat template, the beginning token first.

    At most ``limit`` tokens, not counting the beginning token.
    """
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"][:limit]
    start = tokenizer.bos_token_id
    return ids if start is None or ids[:1] == [start] else [start, *ids]


def positions(model: Any) -> int | None:
    """The most tokens that the model takes, where its positions are numbered; None if any."""
    most = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return most if isinstance(most, int) and most > 0 else None


@torch.no_grad()
def token_statistics(
    model: Any,
    rows: Sequence[Sequence[int]],
    *,
    given: Sequence[int] | None = None,
    budget: int | None = None,
) -> Iterator[tuple[int, TokenStatistics]]:
    """Index and statistics of each row of token ids, in an order of its own.

    Args:
        model: causal language model of transformers.
        rows: token ids; the first of a row is never scored. What all begin with is computed once.
        given: how many tokens of each row are given and not scored, at least 1.
        budget: tokens of a batch, padding included; by default as the vocabulary allows.
    """
    firsts = [max(1, one) for one in given] if given is not None else [1] * len(rows)
    order = [
        index
        for index in sorted(range(len(rows)), key=lambda index: -len(rows[index]))
        if len(rows[index]) > firsts[index]
    ]
    for index in set(range(len(rows))) - set(order):
        yield index, TokenStatistics([], [], [])
    if not order:
        return
    most = budget or _LOGITS // model.config.get_text_config().vocab_size
    kept, behind = [rows[i] for i in order], [firsts[i] for i in order]
    with evaluating(model):
        beginning = beginning_of(model, kept, behind, partial(_all_logs, model))
    lengths = [len(row) - beginning.tokens for row in kept]
    overhead = pass_overhead(model.get_input_embeddings().weight.device)
    for places in by_length(lengths, most=most, overhead=overhead):
        batch = [order[place] for place in places]
        with evaluating(model):
            found = _batch(model, [rows[i] for i in batch], [firsts[i] for i in batch], beginning)
        yield from zip(batch, found, strict=True)


def _batch(
    model: Any, rows: Sequence[Sequence[int]], firsts: Sequence[int], beginning: Beginning
) -> list[TokenStatistics]:
    logits = beginning.logits(model, [row[:-1] for row in rows])  # a row's last predicts nothing
    found = []
    for place, (row, first) in enumerate(zip(rows, firsts, strict=True)):
        start, end = first - 1 - beginning.tokens, len(row) - 1 - beginning.tokens
        found.append(_statistics(logits[place, start:end], torch.tensor(list(row[first:]))))
    return found


def _all_logs(
    model: Any, rows: Sequence[Sequence[int]], firsts: Sequence[int], beginning: Beginning
) -> list[float]:
    found = _batch(model, rows, firsts, beginning)
    return [log for one in found for log in one.log_probabilities]


def _statistics(logits: Tensor, targets: Tensor) -> TokenStatistics:
    chosen, means, deviations = [], [], []
    for start in range(0, len(targets), _ROWS):
        logs = logits[start : start + _ROWS].float().log_softmax(1).clamp(min=_IMPOSSIBLE)
        probabilities = logs.exp()
        mean = (probabilities * logs).sum(1)
        # Centred before squaring: the difference of two means of squares loses its digits.
        squares = (probabilities * (logs - mean[:, None]).square()).sum(1)
        wanted = targets[start : start + _ROWS, None].to(logs.device)
        chosen.append(logs.gather(1, wanted)[:, 0])
        means.append(mean)
        deviations.append(squares.sqrt())
    return TokenStatistics(*(torch.cat(parts).tolist() for parts in (chosen, means, deviations)))
