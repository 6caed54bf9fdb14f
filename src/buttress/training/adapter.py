"""Making an adapter, saving it, and proof that what was saved is what was trained."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor

from buttress.errors import ButtressError, InputError
from buttress.targets.adapters import WEIGHTS, with_adapter, without_peft_warnings
from buttress.training.answer_logits import all_log_probabilities
from buttress.training.examples import TrainingExample
from buttress.training.settings import LoraSettings
from buttress.white_box.loading import load

CHECKED: Final = 8  # examples whose log-probabilities are compared
_MODULES: Final = "a list of names of linear layers, all-linear, or a pattern of whole names"
TOLERANCE: Final = 1e-3  # nats a token, relative to float32 on other kernels


@dataclass(frozen=True, slots=True)
class ReloadCheck:
    """The saved adapter, loaded anew, beside the one in memory.

    ``largest_difference`` is in nats a token, over ``examples`` examples; ``change`` the mean
    absolute difference to the base model in nats a token.
    """

    examples: int
    largest_difference: float
    change: float


def add_adapter(model: Any, settings: LoraSettings, seed: int) -> Any:
    """The model with a new adapter, the only part that requires a gradient.

    Raises:
        InputError: no layer has such a name.
    """
    torch.manual_seed(seed)
    try:
        with without_peft_warnings():
            adapted: Any = get_peft_model(model, lora_config(settings))
    except ValueError as error:
        raise InputError(
            " ".join(str(error).split())[:300], field="lora.modules", expected=_MODULES,
        ) from None  # fmt: skip
    return adapted


def lora_config(settings: LoraSettings, *, head: str | None = None) -> LoraConfig:
    """The settings as PEFT takes them; ``head``: a layer that is trained whole, for scores.

    Raises:
        InputError: the pattern of layers is none.
    """
    if isinstance(settings.modules, str):
        try:
            re.compile(settings.modules)
        except re.error as error:
            raise InputError(
                f"no pattern: {error}", field="lora.modules", expected=_MODULES
            ) from None
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # a float works
        lora_dropout=settings.dropout,
        target_modules=settings.modules,
        bias="none",
        task_type="CAUSAL_LM" if head is None else "SEQ_CLS",
        modules_to_save=None if head is None else [head],
    )


def save_adapter(model: Any, folder: Path, base: Path) -> None:
    """Write the adapter in PEFT's form.

    Raises:
        InputError: it can't be written.
    """
    for config in model.peft_config.values():
        config.base_model_name_or_path = str(base)
    try:
        model.save_pretrained(str(folder), save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's own, without content
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(folder), field="--out") from None


def check_saved(
    folder: Path, base: Path, examples: Sequence[TrainingExample], trained: Tensor, device: str
) -> ReloadCheck:
    """Load base model and adapter anew and compare log-probabilities.

    Args:
        folder: of the saved adapter.
        base: folder of the base model.
        examples: to compare on.
        trained: their summed log-probabilities by the model in memory, shape (examples,).
        device: where the model runs.

    Raises:
        ButtressError: they differ: the saved adapter is not the one that was trained.
    """
    model, _ = load(base, device=device)
    before = all_log_probabilities(model, examples)
    adapted = with_adapter(model, folder, merge=False).eval()
    again = all_log_probabilities(adapted, examples)
    tokens = torch.tensor([float(one.learned) for one in examples], dtype=torch.float64)
    difference = float(((again - trained).abs() / tokens).max())
    if not difference <= TOLERANCE:
        raise ButtressError(
            f"{folder / WEIGHTS}: the saved adapter is not the one that was trained: "
            f"log-probabilities differ by {difference:.2g} nats a token"
        )
    return ReloadCheck(len(examples), difference, float(((again - before).abs() / tokens).mean()))
