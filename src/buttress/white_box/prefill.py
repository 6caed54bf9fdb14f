"""Prefilling: the answer's first words are put into the model's mouth, and it goes on.

Vega et al. 2023, arXiv:2312.12321; Andriushchenko, Croce & Flammarion 2024, arXiv:2404.02151;
Qi et al. 2024, arXiv:2406.05946, find that alignment often rests on an answer's first few tokens
alone. Whoever holds the weights can always do this, and many endpoints let anybody do it, so it is
an upper bound of what refusals at the start of an answer are worth. OWASP LLM01, ATLAS AML.T0054.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from buttress.targets.base import Message
from buttress.white_box.answers import continuations, text_of
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.loading import evaluating


def prefilled_answers(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[Sequence[Message]],
    start: str,
    *,
    max_tokens: int = 160,
    batch: int = 32,
) -> list[str]:
    """Greedy answers that begin with ``start``; ``start`` is part of each. Empty: plain answers.

    Raises:
        InputError: a conversation does not end with a question.
    """
    texts = [question_text(tokenizer, messages) + start for messages in conversations]
    with evaluating(model):
        written = continuations(model, tokenizer, encode(tokenizer, texts), max_tokens, batch=batch)
    if not start:
        return [text_of(tokenizer, ids) for ids in written]
    # Decoded behind ``start``, since some tokenizers drop the space of a text's first word.
    lead = list(tokenizer(start, add_special_tokens=False)["input_ids"])
    head = len(tokenizer.decode(lead, skip_special_tokens=True))
    return [
        start + str(tokenizer.decode([*lead, *ids], skip_special_tokens=True))[head:].rstrip()
        for ids in written
    ]
