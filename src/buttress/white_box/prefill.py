"""Prefilling: the answer's first words are put into the model's mouth, and it goes on.

Vega et al. 2023, arXiv:2312.12321; Andriushchenko, Croce & Flammarion 2024, arXiv:2404.02151;
Qi et al. 2024, arXiv:2406.05946, find that alignment often rests on an answer's first few tokens
alone. Whoever holds the weights can always do this, and many endpoints let anybody do it, so it is
an upper bound of what refusals at the start of an answer are worth. OWASP LLM01, ATLAS AML.T0054.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from buttress.errors import InputError
from buttress.targets.base import Answer, Message, Request, Target
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


class PrefilledTarget:
    """A target that is asked to go on from ``start`` in place of beginning an answer.

    The conversation gets a last message of the assistant. That is continued by some chat endpoints
    by themselves, and by vLLM and alike when the target is opened with ``extra:
    {add_generation_prompt: false, continue_final_message: true}``. Others take it as an earlier
    turn and begin anew: then this measures a turn in the history, which is a weaker attack, and
    nothing in the answer tells the two apart for certain.

    Raises:
        InputError: nothing to begin with, or it ends with white space, which endpoints refuse.
    """

    def __init__(self, target: Target, start: str) -> None:
        if not start or start != start.rstrip():
            raise InputError(
                f"{start!r} is not usable", field="start", expected="text without space at its end"
            )
        self._target = target
        self._start = start

    @property
    def name(self) -> str:
        """The target's, and that it is prefilled."""
        return f"{self._target.name}, prefilled"

    @property
    def identity(self) -> str:
        """The target's, and the text."""
        return f"prefilled:{self._start!r}:{self._target.identity}"

    @property
    def stable(self) -> bool:
        """As the target."""
        return self._target.stable

    @property
    def concurrency(self) -> int:
        """As the target."""
        return self._target.concurrency

    async def answer(self, request: Request) -> Answer:
        """The whole answer, ``start`` included, whether or not the endpoint repeats it.

        Raises:
            TargetError: no answer.
        """
        messages = (*request.messages, Message("assistant", self._start))
        made = await self._target.answer(replace(request, messages=messages))
        if made.text.lstrip().startswith(self._start):
            return made
        joint = "" if not made.text or made.text[0] in " \n,.;:!?" else " "
        return replace(made, text=f"{self._start}{joint}{made.text}")

    async def aclose(self) -> None:
        """Close the target."""
        await self._target.aclose()
