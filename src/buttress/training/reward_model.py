"""Reward models: a score for an answer, by a decoder with a head of one output.

Trained on pairs by the likelihood of the Bradley-Terry model (Bradley & Terry 1952; Ouyang et al.
2022, arXiv:2203.02155). A folder holds an adapter with its head, or a whole model.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
import transformers as untyped
from torch import Tensor

from buttress.errors import ButtressError, InputError
from buttress.targets.adapters import base_of, scores_answers, with_adapter
from buttress.targets.base import Message
from buttress.targets.completion import one_line
from buttress.training.adapter import TOLERANCE, ReloadCheck
from buttress.training.examples import ExampleReader, TrainingExample
from buttress.white_box.loading import load_tokenizer

transformers: Any = untyped  # partly without types
HEAD: Final = "score"  # name of the head in the decoders of transformers
_BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class RewardModel:
    """A loaded reward model; ``reader`` turns conversations into its tokens."""

    model: Any
    tokenizer: Any
    reader: ExampleReader

    def scores(self, asked: Sequence[tuple[Sequence[Message], str]]) -> list[float | None]:
        """The score of each answer to its conversation; None where both don't fit together."""
        examples = [self.reader.answered(messages, answer) for messages, answer in asked]
        places = [place for place, one in enumerate(examples) if one is not None]
        found = reward_scores(self.model, [one for one in examples if one is not None])
        made: list[float | None] = [None] * len(asked)
        for place, score in zip(places, found.tolist(), strict=True):
            made[place] = float(score)
        return made


def reward_base(weights: Path, device: str) -> Any:
    """The decoder in a Hugging Face folder with a new head of one output, drawn by torch's seed.

    Raises:
        InputError: not a decoder that transformers can put such a head on.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        with _quiet():
            model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
                weights, num_labels=1, use_safetensors=True, local_files_only=True,
                trust_remote_code=False, dtype=torch.float32 if device == "cpu" else "auto",
            )  # fmt: skip
    except Exception as error:  # of many kinds, as the folder is at fault in many ways
        raise InputError(
            f"no reward model can be made of it: {one_line(str(error))}", file=str(weights),
            expected="a causal language model in safetensors",
        ) from None  # fmt: skip
    if getattr(model, HEAD, None) is None:
        raise InputError(
            "its architecture has no head for scores", file=str(weights),
            expected=f"a decoder of transformers with a layer '{HEAD}'",
        )  # fmt: skip
    return model.to(device)


def load_reward_model(folder: Path, *, device: str = "auto", max_tokens: int = 512) -> RewardModel:
    """The reward model in ``folder``: an adapter of `buttress tune`, or a whole model.

    Raises:
        InputError: it holds no reward model.
    """
    if not folder.is_dir():
        raise InputError("no such folder", file=str(folder), expected="a reward model")
    base = base_of(folder)
    if base is not None and not scores_answers(folder):
        raise InputError("the adapter of a chat model", file=str(folder), expected="a reward model")
    if base is None and not _has_head(folder):
        raise InputError("a model without a head for scores", file=str(folder), expected=HEAD)
    model = reward_base(base or folder, device)
    if base is not None:
        model = with_adapter(model, folder)
    tokenizer = load_tokenizer(base or folder)
    set_padding(model, tokenizer)
    return RewardModel(model.eval(), tokenizer, ExampleReader(tokenizer, max_tokens))


def set_padding(model: Any, tokenizer: Any) -> None:
    """The score is read at the last token that is no padding, so both must agree on padding."""
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id


@torch.no_grad()
def reward_scores(model: Any, examples: Sequence[TrainingExample]) -> Tensor:
    """Scores of examples, in their order, float64 on the CPU, shape (examples,)."""
    found = torch.zeros(len(examples), dtype=torch.float64)
    pad = int(model.config.get_text_config().pad_token_id or 0)
    order = sorted(range(len(examples)), key=lambda place: len(examples[place].ids))
    device = model.get_input_embeddings().weight.device
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        rows = [examples[place].ids for place in chosen]
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows], device=device)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        scores = model(input_ids=ids, attention_mask=mask.to(device), use_cache=False).logits
        found[chosen] = scores[:, 0].double().cpu()
    return found


def check_saved_scores(
    folder: Path, base: Path, examples: Sequence[TrainingExample], trained: Tensor, device: str
) -> ReloadCheck:
    """As ``adapter.check_saved``, of scores.

    Raises:
        ButtressError: the saved adapter is not the one that was trained.
    """
    torch.manual_seed(0)
    before = reward_base(base, device)
    loaded = load_reward_model(folder, device=device)
    set_padding(before, loaded.tokenizer)
    plain = reward_scores(before.eval(), examples)
    again = reward_scores(loaded.model, examples)
    difference = float((again - trained).abs().max())
    if not difference <= TOLERANCE:
        raise ButtressError(
            f"{folder}: the saved reward model is not the one that was trained: scores differ by "
            f"{difference:.2g}"
        )
    return ReloadCheck(len(examples), difference, float((again - plain).abs().mean()))


def _has_head(folder: Path) -> bool:
    from safetensors import safe_open

    for file in folder.glob("*.safetensors"):
        with safe_open(str(file), "pt") as tensors:
            if any(name.endswith(f"{HEAD}.weight") for name in tensors.keys()):  # noqa: SIM118
                return True
    return False


@contextmanager
def _quiet() -> Iterator[None]:
    """That the head is new is no news."""
    transformers.utils.logging.disable_progress_bar()
    logger = logging.getLogger("transformers.modeling_utils")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
