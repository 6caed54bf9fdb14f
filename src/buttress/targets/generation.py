"""Generating text with transformers, so that an answer doesn't depend on its batch.

Sampling uses the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014): the most likely token after
noise is added is a sample of the softmax. Each question has its own seeded noise, so it draws the
same whatever else is in the batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
import transformers as untyped

from buttress.errors import InputError
from buttress.targets.adapters import base_of, with_adapter
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.batching import OutOfMemoryError
from buttress.targets.causal_model import OPTIONS, fit_tokenizer, load_causal_model
from buttress.targets.chat import as_dicts, without_system
from buttress.targets.completion import one_line

DEFAULT_CONTEXT: Final = 2048


transformers: Any = untyped  # partly without types


class Generator:
    """A loaded model.

    Raises:
        InputError: the folder is no usable model.
    """

    def __init__(self, folder: Path, device: str, context: int | None) -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        base = base_of(folder)
        weights = base or folder
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                weights, padding_side="left", **OPTIONS
            )
        except Exception as error:
            raise InputError(
                f"no usable tokenizer: {one_line(str(error))}", file=str(weights),
                expected="that of the model",
            ) from None  # fmt: skip
        # In float32 on a CPU: without native bfloat16 products in it are sixty times slower there.
        model = load_causal_model(weights, device)
        fit_tokenizer(self._tokenizer, model, weights)
        if base is not None:
            model = with_adapter(model, folder)
        self._model = model.eval()
        self._device = device
        made_for = getattr(model.config, "max_position_embeddings", None) or DEFAULT_CONTEXT
        self._context = min(context or made_for, made_for)
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token or self._tokenizer.unk_token
        self._ends = _ends(model, self._tokenizer)

    @property
    def model(self) -> Any:
        """The causal language model of transformers."""
        return self._model

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer, which pads on the left."""
        return self._tokenizer

    def length(self, request: Request) -> int:
        """Tokens of the question, at least 1; 1 where its template fails."""
        try:
            return max(1, len(self._encode(request)))
        except TargetError:
            return 1

    def _encode(self, request: Request) -> list[int]:
        """Token ids of the question, chat template applied; a last turn of the model is continued.

        Raises:
            TargetError: the template refuses the messages.
        """
        tokenizer = self._tokenizer
        if not tokenizer.chat_template:
            plain = "\n\n".join(message.content for message in request.messages)
            return list(tokenizer(plain)["input_ids"])
        text = None
        asked, begun = request.messages, ""
        if len(asked) > 1 and asked[-1].role == "assistant":
            asked, begun = asked[:-1], asked[-1].content
        for messages in (asked, without_system(asked)):
            try:
                text = tokenizer.apply_chat_template(
                    as_dicts(messages), tokenize=False, add_generation_prompt=True
                )
                break
            except Exception as error:  # jinja2's, whose kinds depend on the template
                refused = one_line(str(error))
        if text is None:
            raise TargetError(f"the chat template refuses the messages: {refused}", retry=False)
        return list(tokenizer(text + begun, add_special_tokens=False)["input_ids"])

    def generate(self, requests: Sequence[Request]) -> list[Answer | TargetError]:
        """Answers to requests with equal ``max_tokens``, all greedy or all sampled; in order.

        Raises:
            OutOfMemoryError: the batch doesn't fit.
        """
        made: list[Answer | TargetError | None] = [None] * len(requests)
        rows: list[int] = []
        encoded: list[list[int]] = []
        most = requests[0].sampling.max_tokens
        for index, request in enumerate(requests):
            try:
                ids = self._encode(request)
            except TargetError as error:
                made[index] = error
                continue
            if not ids or len(ids) + most > self._context:
                made[index] = TargetError(
                    f"{len(ids)} tokens of question and {most} of answer don't fit the context "
                    f"of {self._context}",
                    retry=False,
                )
                continue
            rows.append(index)
            encoded.append(ids)
        if rows:
            answers = self._generate([requests[row] for row in rows], encoded, most)
            for row, answer in zip(rows, answers, strict=True):
                made[row] = answer
        return [one for one in made if one is not None]

    @torch.inference_mode()
    def _generate(
        self, requests: Sequence[Request], encoded: Sequence[list[int]], most: int
    ) -> list[Answer]:
        width = max(map(len, encoded))
        pad = self._tokenizer.pad_token_id or 0
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in encoded])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in encoded])
        processors = transformers.LogitsProcessorList()
        if requests[0].sampling.temperature > 0:
            processors.append(_SeededNoise(requests, encoded))
        try:
            tokens = self._model.generate(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                generation_config=transformers.GenerationConfig(
                    max_new_tokens=most,
                    do_sample=False,
                    pad_token_id=pad,
                    eos_token_id=self._ends or None,
                ),
                logits_processor=processors,
            )
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise OutOfMemoryError from error
        except RuntimeError as error:
            if "memory" in str(error).lower():
                raise OutOfMemoryError from error
            raise
        return [
            self._answer(row[width:].tolist(), len(question))
            for row, question in zip(tokens.cpu(), encoded, strict=True)
        ]

    def _answer(self, tokens: list[int], prompt_tokens: int) -> Answer:
        end = next((i for i, token in enumerate(tokens) if token in self._ends), None)
        kept = tokens if end is None else tokens[:end]
        return Answer(
            text=self._tokenizer.decode(kept, skip_special_tokens=True).strip(),
            finish_reason="length" if end is None else "stop",
            prompt_tokens=prompt_tokens,
            completion_tokens=len(kept) + (end is not None),
        )


def _ends(model: Any, tokenizer: Any) -> list[int]:
    """Tokens that end an answer, as the model's generation defaults and the tokenizer name them."""
    named = getattr(model.generation_config, "eos_token_id", None)
    ends = [named] if isinstance(named, int) else list(named or [])
    if tokenizer.eos_token_id is not None:
        ends.append(tokenizer.eos_token_id)
    return sorted(set(ends))


class _SeededNoise(untyped.LogitsProcessor):
    """Adds each row's own Gumbel noise to its logits over temperature."""

    def __init__(self, requests: Sequence[Request], encoded: Sequence[list[int]]) -> None:
        self._temperatures = torch.tensor([[r.sampling.temperature] for r in requests])
        self._generators = []
        for request, ids in zip(requests, encoded, strict=True):
            content = f"{request.sampling.seed} {ids}".encode()
            seed = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1
            self._generators.append(torch.Generator().manual_seed(seed))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """Noisy scores, shape (rows, vocabulary)."""
        uniform = torch.stack(
            [torch.rand(scores.shape[1], generator=one) for one in self._generators]
        )
        noise = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
        temperatures = self._temperatures.to(scores.device)
        return scores.float() / temperatures + noise.to(scores.device)
