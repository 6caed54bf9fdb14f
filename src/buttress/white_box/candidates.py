"""Which suffixes a step of GCG tries, and in which batches.

Zou et al. 2023, arXiv:2307.15043, algorithm 1; merging after Jia et al. 2024 (I-GCG),
arXiv:2405.21018, section 3.3.
"""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor


def allowed_tokens(tokenizer: Any, vocabulary: int, *, ascii_only: bool) -> Tensor:
    """Mask of shape (vocabulary,): ordinary tokens, of printable ASCII if ``ascii_only``."""
    known = min(len(tokenizer), vocabulary)
    special = set(tokenizer.all_special_ids)
    special |= {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    texts = tokenizer.batch_decode([[i] for i in range(known)], clean_up_tokenization_spaces=False)
    mask = torch.zeros(vocabulary, dtype=torch.bool)
    for index, text in enumerate(texts):
        plain = text.isascii() and text.isprintable() if ascii_only else "\ufffd" not in text
        mask[index] = plain and bool(text) and index not in special
    return mask


def seeded(seed: int, step: int) -> torch.Generator:
    """The source of a step's draws; of nothing but these two, so that a search can be resumed."""
    digest = hashlib.sha256(f"gcg {seed} {step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def draw(
    suffix: Tensor,
    gradient: Tensor,
    allowed: Tensor,
    *,
    count: int,
    top_k: int,
    generator: torch.Generator,
) -> Tensor:
    """Suffixes with one token replaced, at an even-handed position by one of its ``top_k`` best.

    Args:
        suffix: token ids, shape (n,), on the CPU.
        gradient: of the loss by the one-hot suffix, shape (n, vocabulary); lower is better.
        allowed: mask, shape (vocabulary,).
        count: how many to draw; duplicates and the suffix itself are left out of the result.
        top_k: replacements considered at each position.
        generator: on the CPU.

    Returns:
        Token ids, shape (at most ``count``, n), in lexicographic order.
    """
    worst = gradient.masked_fill(~allowed.to(gradient.device), torch.inf)
    top_k = min(top_k, int(allowed.sum()))
    best = (-worst).topk(top_k, dim=1).indices.cpu()
    positions = torch.randint(len(suffix), (count,), generator=generator)
    ranks = torch.randint(top_k, (count,), generator=generator)
    made = suffix.repeat(count, 1)
    made[torch.arange(count), positions] = best[positions, ranks]
    made = torch.unique(made, dim=0)
    others: Tensor = made[(made != suffix).any(dim=1)]
    return others


def merged(suffix: Tensor, made: Tensor, losses: Tensor, most: int) -> Tensor:
    """Suffixes that take over 2, 3, … ``most`` of the best replacements at once.

    A position that a better replacement took is kept. Shape (at most ``most`` - 1, n).
    """
    order = losses.argsort(stable=True)[:most].tolist()
    rows: list[Tensor] = []
    taken = suffix
    for index in order:
        joined = torch.where(taken != suffix, taken, made[index])
        if index != order[0] and not torch.equal(joined, taken):
            rows.append(joined)
        taken = joined
    return torch.stack(rows) if rows else made[:0]
