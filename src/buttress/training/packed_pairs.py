"""Log-probabilities of pairs of answers from one row: prompts are computed once, nothing is padded.

Pairs stand one after the other in a row. A mask lets an answer see its prompt and itself alone, and
its positions go on from the prompt's end, so each answer gets what it gets in a row of its own. Not
every architecture takes such a mask; ``packs`` tries, on the longest pairs.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from buttress.training.answer_logits import log_probabilities, plain
from buttress.training.examples import ExamplePair

# Tokens of a row, unless a pair alone has more. What a token must not see is computed all the same,
# so rows cost attention by their square; an accelerator has it to spare for fewer, longer rows.
ROW: Final = 1024
ROW_ON_CPU: Final = 256
_LOGITS: Final = 2**26  # of a row
_TRIED: Final = 2  # pairs
_ABSOLUTE: Final = 1e-3  # nats in an answer
_RELATIVE: Final = 1e-5


def packs(model: Any, pairs: Sequence[ExamplePair]) -> bool:
    """Whether packed pairs get the log-probabilities that separate rows get."""
    if not all(_shared(one) for one in pairs):
        return False
    accepted = inspect.signature(plain(model).forward).parameters
    if not {"attention_mask", "position_ids", "logits_to_keep"} <= set(accepted):
        return False
    longest = sorted(pairs, key=_size)[-_TRIED:]
    with torch.no_grad():
        apart = [
            log_probabilities(model, [getattr(one, side) for one in longest])
            for side in ("chosen", "rejected")
        ]
        try:
            packed = packed_log_probabilities(model, longest)
        except (RuntimeError, ValueError, TypeError):  # the mask has a form that it can't take
            return False
    return torch.allclose(packed, torch.stack(apart), rtol=_RELATIVE, atol=_ABSOLUTE)


def packed_parts(
    model: Any, pairs: Sequence[ExamplePair], indices: Sequence[int]
) -> Iterator[list[int]]:
    """The indices in rows."""
    base = plain(model)
    vocabulary = base.config.get_text_config().vocab_size
    row = ROW_ON_CPU if base.device.type == "cpu" else ROW
    part: list[int] = []
    tokens = learned = 0
    for index in sorted(indices, key=lambda one: (-_size(pairs[one]), one)):
        size = _size(pairs[index])
        answers = pairs[index].chosen.learned + pairs[index].rejected.learned
        if part and (tokens + size > row or (learned + answers) * vocabulary > _LOGITS):
            yield part
            part, tokens, learned = [], 0, 0
        part.append(index)
        tokens += size
        learned += answers
    if part:
        yield part


def packed_log_probabilities(model: Any, pairs: Sequence[ExamplePair]) -> Tensor:
    """Summed log-probabilities of chosen and rejected answers, in nats, shape (2, pairs)."""
    ids: list[int] = []
    positions: list[int] = []
    block: list[int] = []
    kept: list[int] = []
    targets: list[int] = []
    counts: list[int] = []
    for number, pair in enumerate(pairs):
        start = pair.chosen.start
        prompt = len(ids)
        ids += pair.chosen.ids[:start]
        positions += range(start)
        block += [3 * number] * start
        for side, answer in enumerate((pair.chosen, pair.rejected), 1):
            said = answer.ids[start:]
            kept += [prompt + start - 1, *range(len(ids), len(ids) + len(said) - 1)]
            ids += said[:-1]
            positions += range(start, start + len(said) - 1)
            block += [3 * number + side] * (len(said) - 1)
            targets += said
            counts.append(len(said))
    base = plain(model)
    weight = base.get_input_embeddings().weight
    device = weight.device
    logits = model(
        input_ids=torch.tensor([ids], device=device),
        position_ids=torch.tensor([positions], device=device),
        attention_mask=_mask(torch.tensor(block), base.dtype).to(device),
        logits_to_keep=torch.tensor(kept, device=device),
        use_cache=False,
    ).logits[0]
    wanted = torch.tensor(targets, device=device)
    losses = cross_entropy(logits.float(), wanted, reduction="none")
    owner = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts)).to(device)
    sums = torch.zeros(len(counts), device=device).index_add(0, owner, losses)
    return -sums.view(len(pairs), 2).T


def _mask(block: Tensor, dtype: torch.dtype) -> Tensor:
    """What a token must not see has the lowest value, (1, 1, tokens, tokens); blocks are 3 k for
    the prompt of pair k, 3 k + 1 and 3 k + 2 for its answers.
    """
    own = block[:, None] == block[None, :]
    prompt = block[None, :] == block[:, None] - block[:, None] % 3
    seen = (own | prompt).tril()
    mask = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, torch.finfo(dtype).min)
    return mask[None, None]


def _shared(pair: ExamplePair) -> bool:
    start = pair.chosen.start
    same = pair.rejected.start == start
    return same and start > 0 and pair.chosen.ids[:start] == pair.rejected.ids[:start]


def _size(pair: ExamplePair) -> int:
    return len(pair.chosen.ids) + pair.rejected.learned - 2
