"""An answer to a prompt as a function of the prompt's embedded tokens."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.layout import target_tokens
from buttress.white_box.prefix_cache import Pairs, cache_of, prefix_pairs
from buttress.white_box.token_statistics import positions

BATCH_TOKENS: Final = 2048  # tokens in a pass
LONGEST: Final = 2048  # tokens of the question


class ScoredAnswer:
    """log P(answer | prompt) in nats, and the tokens that it may be attributed to.

    ``question`` are all tokens up to the answer; ``places`` are those that stand in the prompt
    itself, the rest is the chat template's. ``answer`` are the answer's tokens. ``baseline`` is the
    embedding that stands for nothing: that of the pad token, or the mean of all where there is none.
    ``first`` is the first of the places: the keys and values of what stands before it are computed
    once, where the architecture allows for it.

    Raises:
        InputError: no token in the prompt or the answer, or a tokenizer without offsets.
    """

    def __init__(self, model: Any, tokenizer: Any, prompt: str, answer: str) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise InputError("the tokenizer has no offsets", expected="a fast tokenizer")
        self.model = model
        self.tokenizer = tokenizer
        text = question_text(tokenizer, (Message("user", prompt),))
        special = not tokenizer.chat_template
        encoded = tokenizer(text, add_special_tokens=special, return_offsets_mapping=True)
        self.question: list[int] = list(encoded["input_ids"])
        _check_length(model, self.question)
        first = text.rfind(prompt.strip())
        last = first + len(prompt.strip())
        self.places: list[int] = [
            at for at, (start, end) in enumerate(encoded["offset_mapping"])
            if end > start and start < last and end > first >= 0
        ]  # fmt: skip
        if not self.places:
            raise InputError("no token of it is found behind the template", field="--prompt")
        self.answer: list[int] = list(
            target_tokens(tokenizer, text, encode(tokenizer, [text])[0], answer)
        )
        most = positions(model)
        if most is not None and len(self.question) + len(self.answer) > most:
            raise InputError(
                f"{len(self.answer)} tokens", field="--answer",
                expected=f"at most {most - len(self.question)} behind this prompt",
            )  # fmt: skip
        self.first = self.places[0]
        self.tokens = [text[start:end] for start, end in encoded["offset_mapping"]]
        self._embedding = model.get_input_embeddings()
        self._device: torch.device = self._embedding.weight.device
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters
        with torch.no_grad():
            self.embedded: Tensor = self._embedding(self._ids(self.question))
            self._follows: Tensor = self._embedding(self._ids(self.answer[:-1]))
            pad = tokenizer.pad_token_id
            self.baseline: Tensor = (
                self._embedding(self._ids([pad]))[0] if pad is not None
                else self._embedding(torch.arange(len(self._embedding.weight),
                                                  device=self._device)).mean(0)
            )  # fmt: skip
        self._template = self._proven()

    def without(self, removed: Sequence[Sequence[int]]) -> Tensor:
        """The question with some places replaced by the baseline, shape (rows, tokens, size)."""
        rows = self.embedded.expand(len(removed), -1, -1).clone()
        for row, places in enumerate(removed):
            rows[row, list(places)] = self.baseline
        return rows

    def score(self, questions: Tensor) -> Tensor:
        """log P(answer) in nats of embedded questions, shape (rows, tokens, size); shape (rows,).

        Gradients flow where ``questions`` asks for them.
        """
        return self._score(questions, None)

    def score_of_prompt(self, prompts: Tensor) -> Tensor:
        """The same of the tokens from ``first`` on, behind the template; shape (rows,).

        Not for a model that is changed by hooks: what stands before them is not computed anew.
        """
        if self._template is None:
            before = self.embedded[: self.first].expand(len(prompts), -1, -1)
            return self._score(torch.cat([before, prompts], dim=1), None)
        return self._score(prompts, self._template)

    def intact_score(self) -> float:
        """Score of the prompt as it is, by the model as it is now."""
        with torch.no_grad():
            return float(self.score(self.embedded[None])[0])

    def rows_at_once(self) -> int:
        """Rows in a pass."""
        return max(1, BATCH_TOKENS // (len(self.question) - self.first + len(self.answer)))

    def _score(self, questions: Tensor, past: Pairs | None) -> Tensor:
        follows = self._follows.expand(len(questions), -1, -1)
        options: dict[str, Any] = {"use_cache": past is not None}
        if past is not None:
            options["past_key_values"] = cache_of(past, len(questions))
        if self._keeps:
            options["logits_to_keep"] = len(self.answer)
        inputs = torch.cat([questions, follows], dim=1)
        logits = self.model(inputs_embeds=inputs, **options).logits[:, -len(self.answer) :]
        logits = logits if logits.dtype == torch.float64 else logits.float()
        target = self._ids(self.answer).expand(len(questions), -1)
        chosen = logits.gather(2, target[..., None])[..., 0]
        total: Tensor = (chosen - logits.logsumexp(2)).sum(1)
        return total

    def scores_without(self, removed: Sequence[Sequence[int]]) -> list[float]:
        """Scores with some places replaced, without gradients, in batches.

        By the model as it was made: see ``score_of_prompt``.
        """
        found: list[float] = []
        rows = self.rows_at_once()
        with torch.no_grad():
            for start in range(0, len(removed), rows):
                prompts = self.without(removed[start : start + rows])[:, self.first :]
                found += self.score_of_prompt(prompts).tolist()
        return found

    def _proven(self) -> Pairs | None:
        """Keys and values before the prompt, if scores with them are those of whole passes."""
        if not self.first:
            return None
        options = {"logits_to_keep": 1} if self._keeps else {}
        pairs = prefix_pairs(self.model, self.embedded[None, : self.first], **options)
        if pairs is None:
            return None
        try:
            with torch.no_grad():
                reused = float(self._score(self.embedded[None, self.first :], pairs)[0])
        except (TypeError, ValueError, AttributeError, IndexError, RuntimeError):
            return None  # an architecture that does not go on from them
        exact = self.embedded.dtype in (torch.float32, torch.float64)
        return pairs if abs(reused - self.intact_score()) < (1e-3 if exact else 0.1) else None

    def _ids(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor(list(ids), dtype=torch.long, device=self._device)


def _check_length(model: Any, question: Sequence[int]) -> None:
    most = min(LONGEST, (positions(model) or LONGEST + 1) - 1)
    if len(question) > most:
        raise InputError(
            f"{len(question)} tokens with the chat template", field="--prompt",
            expected=f"at most {most}",
        )  # fmt: skip


def greedy_answer(model: Any, tokenizer: Any, prompt: str, tokens: int) -> str:
    """What the model says by itself, at most so many tokens, as far as its positions go.

    Raises:
        InputError: the prompt is too long.
    """
    text = question_text(tokenizer, (Message("user", prompt),))
    ids = encode(tokenizer, [text])[0]
    _check_length(model, ids)
    tokens = min(tokens, (positions(model) or len(ids) + tokens) - len(ids))
    device = model.get_input_embeddings().weight.device
    inputs = torch.tensor([ids], device=device)
    with torch.no_grad():
        made = model.generate(
            input_ids=inputs, attention_mask=torch.ones_like(inputs), max_new_tokens=tokens,
            do_sample=False, pad_token_id=tokenizer.pad_token_id or 0,
        )  # fmt: skip
    return str(tokenizer.decode(made[0, len(ids) :], skip_special_tokens=True))
