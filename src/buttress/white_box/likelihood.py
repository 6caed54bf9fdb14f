"""How likely an answer is: of its first words, and of a whole text under a changed model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.batch_inputs import batch_inputs
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.layout import target_tokens
from buttress.white_box.loading import evaluating


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a changed model has moved from the original, on given answers to harmless requests.

    ``first_token`` and ``per_token`` are mean Kullback-Leibler divergences in nats, original to
    changed: of an answer's first token, and of all its tokens. The perplexities are of the same
    answers, before and after.
    """

    answers: int
    tokens: int
    first_token: float
    per_token: float
    perplexity_before: float
    perplexity_after: float


def prefix_log_probabilities(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[Sequence[Message]],
    prefixes: Sequence[str],
    *,
    bias: Tensor | None = None,
    first: int = 0,
    batch: int = 16,
) -> list[float]:
    """Mean log-probability of a prefix's tokens, in nats per token, as the answer's beginning.

    Args:
        model: causal language model of transformers.
        tokenizer: its tokenizer.
        conversations: each ends with a question.
        prefixes: one a conversation.
        bias: added to the logits, shape (vocabulary,), or None.
        first: how many of an answer's first tokens the bias is added to.
        batch: conversations in a pass.

    Raises:
        InputError: a conversation does not end with a question, or a prefix has no tokens.
    """
    texts = [question_text(tokenizer, messages) for messages in conversations]
    questions = encode(tokenizer, texts)
    starts = [
        target_tokens(tokenizer, text, ids, prefix)
        for text, ids, prefix in zip(texts, questions, prefixes, strict=True)
    ]
    made = [0.0] * len(texts)
    with evaluating(model):
        for chosen, logits in answer_logits(model, tokenizer, questions, starts, batch):
            for index, rows in zip(chosen, logits, strict=True):
                if bias is not None:
                    rows[:first] += bias.to(rows.device, rows.dtype)
                wanted = torch.tensor(starts[index], device=rows.device)[:, None]
                made[index] = float(rows.log_softmax(1).gather(1, wanted).mean())
    return made


def drift(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[Sequence[Message]],
    answers: Sequence[str],
    changed: AbstractContextManager[None],
    *,
    batch: int = 4,
) -> Drift:
    """Compare the model with itself inside ``changed``, on the ``answers`` (as the original gave).

    Empty answers are left out.

    Raises:
        InputError: no answer has tokens.
    """
    texts = [question_text(tokenizer, messages) for messages in conversations]
    pairs = [(text, answer) for text, answer in zip(texts, answers, strict=True) if answer.strip()]
    if not pairs:
        raise InputError("all are empty", field="answers", expected="an answer with words")
    questions = encode(tokenizer, [text for text, _ in pairs])
    said = [
        target_tokens(tokenizer, text, ids, answer)
        for (text, answer), ids in zip(pairs, questions, strict=True)
    ]
    before: list[Tensor] = [torch.empty(0)] * len(pairs)
    count = sum(map(len, said))
    spent = [0.0, 0.0]
    divergences: list[Tensor] = [torch.empty(0)] * len(pairs)
    with evaluating(model):
        for chosen, logits in answer_logits(model, tokenizer, questions, said, batch):
            for index, rows in zip(chosen, logits, strict=True):
                before[index] = rows.log_softmax(1).cpu()
        with changed:
            for chosen, logits in answer_logits(model, tokenizer, questions, said, batch):
                for index, rows in zip(chosen, logits, strict=True):
                    after = rows.log_softmax(1).cpu()
                    divergences[index] = (before[index].exp() * (before[index] - after)).sum(1)
                    wanted = torch.tensor(said[index])[:, None]
                    spent[0] -= float(before[index].gather(1, wanted).sum())
                    spent[1] -= float(after.gather(1, wanted).sum())
    return Drift(
        answers=len(pairs),
        tokens=count,
        first_token=float(torch.stack([row[0] for row in divergences]).mean()),
        per_token=float(torch.cat(divergences).mean()),
        perplexity_before=math.exp(spent[0] / count),
        perplexity_after=math.exp(spent[1] / count),
    )


@torch.no_grad()
def answer_logits(
    model: Any,
    tokenizer: Any,
    questions: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    batch: int,
) -> Iterator[tuple[list[int], list[Tensor]]]:
    """Indices, and for each the logits at its answer's tokens, (tokens, vocabulary), float32.

    Questions and answers are token ids; an answer follows its question.
    """
    rows = [[*question, *answer[:-1]] for question, answer in zip(questions, answers, strict=True)]
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        longest = max(len(answers[index]) for index in chosen)
        batched = [rows[index] for index in chosen]
        options = batch_inputs(model, tokenizer, batched, logits=longest)
        logits = model(**options, use_cache=False).logits[:, -longest:]
        yield (
            chosen,
            [
                row[longest - len(answers[index]) :].float()
                for row, index in zip(logits, chosen, strict=True)
            ],
        )
