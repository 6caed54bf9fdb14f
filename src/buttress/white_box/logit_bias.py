"""Logit bias: the words that refusals begin with are made less likely, or others more likely.

After Zhang et al. 2023, arXiv:2312.04782, who pick unlikely first words to make a model comply.
Endpoints that take ``logit_bias`` allow the same to anybody who knows the tokens: ``bias_field``
makes that field. OWASP LLM01, ATLAS AML.T0054.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
import transformers as untyped

from buttress.targets.base import Message
from buttress.white_box.answers import continuations, text_of
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.loading import evaluating

transformers: Any = untyped  # partly without types

# How refusals begin, in general; take those that your model uses.
REFUSALS: Final = (
    *("I", "Sorry", "As", "Unfortunately", "No", "My", "Apologies", "It"),
    *("抱歉", "对不起", "很抱歉", "我", "作为", "不"),
)


def first_tokens(tokenizer: Any, words: Sequence[str]) -> list[int]:
    """The first token of each word, at the start of an answer and after a space; sorted."""
    found: set[int] = set()
    for word in words:
        for text in (word, f" {word}"):
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            if ids and str(tokenizer.decode(ids[:1])).strip():
                found.add(int(ids[0]))
    return sorted(found)


def bias_field(tokenizer: Any, words: Sequence[str], bias: float = -100.0) -> Mapping[str, float]:
    """The ``logit_bias`` of an OpenAI-compatible endpoint that serves this tokenizer's model."""
    return {str(token): bias for token in first_tokens(tokenizer, words)}


def biased_answers(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[Sequence[Message]],
    *,
    words: Sequence[str] = REFUSALS,
    bias: float = -100.0,
    first: int = 4,
    max_tokens: int = 160,
    batch: int = 32,
) -> list[str]:
    """Greedy answers where ``bias`` is added to the logits of the ``words``' first tokens.

    Only the ``first`` tokens of an answer are biased, so that the rest stays the model's own.

    Raises:
        InputError: a conversation does not end with a question.
    """
    rows = encode(tokenizer, [question_text(tokenizer, messages) for messages in conversations])
    tokens = first_tokens(tokenizer, words)
    with evaluating(model):
        written = continuations(
            model,
            tokenizer,
            rows,
            max_tokens,
            batch=batch,
            processors=lambda width: [_FirstTokens(tokens, bias, width + first)],
        )
    return [text_of(tokenizer, ids) for ids in written]


class _FirstTokens(untyped.LogitsProcessor):
    """Bias on some tokens while an answer is young."""

    def __init__(self, tokens: Sequence[int], bias: float, until: int) -> None:
        self._tokens = torch.tensor(list(tokens), dtype=torch.long)
        self._bias = bias
        self._until = until  # length of question and answer

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores, shape (rows, vocabulary), with the bias."""
        if input_ids.shape[1] >= self._until:
            return scores
        scores = scores.clone()
        scores[:, self._tokens.to(scores.device)] += self._bias
        return scores
