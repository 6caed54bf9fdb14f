"""Greedy answers of a loaded model, many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers as untyped

transformers: Any = untyped  # partly without types


@torch.no_grad()
def continuations(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Sequence[int]],
    max_tokens: int,
    *,
    batch: int = 32,
    processors: Callable[[int], Sequence[Any]] | None = None,
) -> list[list[int]]:
    """What the model writes after each row of token ids, up to its end token, which is left out.

    ``processors`` makes a batch's logits processors (of transformers) from the length of its
    padded questions. Rows of like length share a batch.
    """
    ends = _ends(model, tokenizer)
    pad = _pad(tokenizer, ends)
    made: list[list[int]] = [[] for _ in rows]
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        ids, mask = padded([rows[index] for index in chosen], pad)
        written = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=_greedy(max_tokens, pad, ends),
            logits_processor=transformers.LogitsProcessorList(
                processors(ids.shape[1]) if processors else ()
            ),
        )[:, ids.shape[1] :].tolist()
        for index, tokens in zip(chosen, written, strict=True):
            made[index] = _ended(tokens, ends)
    return made


@torch.no_grad()
def sampled_continuations(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Sequence[int]],
    max_tokens: int,
    *,
    seed: int,
    batch: int = 32,
) -> list[list[int]]:
    """What the model writes after each row, sampled at temperature 1 without any cut of its law.

    The state of torch's generators is as before; the same seed gives the same tokens on the same
    machine.
    """
    ends = _ends(model, tokenizer)
    pad = _pad(tokenizer, ends)
    settings = transformers.GenerationConfig(
        max_new_tokens=max_tokens, do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
        pad_token_id=pad, eos_token_id=ends or None,
    )  # fmt: skip
    made: list[list[int]] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for start in range(0, len(rows), batch):
            ids, mask = padded(rows[start : start + batch], pad)
            written = model.generate(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                generation_config=settings,
            )[:, ids.shape[1] :].tolist()
            made += [_ended(tokens, ends) for tokens in written]
    return made


@torch.no_grad()
def continuations_of_embeddings(
    model: Any, tokenizer: Any, question: torch.Tensor, max_tokens: int
) -> list[int]:
    """What the model writes after embedded tokens, shape (tokens, size); as ``continuations``."""
    ends = _ends(model, tokenizer)
    written = model.generate(
        inputs_embeds=question[None],
        attention_mask=torch.ones(1, len(question), dtype=torch.long, device=question.device),
        generation_config=_greedy(max_tokens, _pad(tokenizer, ends), ends),
    )[0].tolist()
    return _ended(written, ends)


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask, both (rows, longest), padded on the left."""
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids, mask


def text_of(tokenizer: Any, ids: Sequence[int]) -> str:
    """An answer as people read it."""
    return str(tokenizer.decode(list(ids), skip_special_tokens=True)).strip()


def _ends(model: Any, tokenizer: Any) -> list[int]:
    """Tokens that end an answer, as the model's generation defaults and the tokenizer name them."""
    named = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ends = {named} if isinstance(named, int) else set(named or ())
    if tokenizer.eos_token_id is not None:
        ends.add(tokenizer.eos_token_id)
    return sorted(ends)


def _pad(tokenizer: Any, ends: Sequence[int]) -> int:
    pad = tokenizer.pad_token_id
    return int(pad) if pad is not None else (ends[0] if ends else 0)


def _greedy(max_tokens: int, pad: int, ends: Sequence[int]) -> Any:
    return transformers.GenerationConfig(
        max_new_tokens=max_tokens,
        do_sample=False,
        pad_token_id=pad,
        eos_token_id=list(ends) or None,
    )


def _ended(tokens: Sequence[int], ends: Sequence[int]) -> list[int]:
    end = next((i for i, token in enumerate(tokens) if token in ends), len(tokens))
    return list(tokens[:end])
