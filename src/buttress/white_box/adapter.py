"""A model before and after: a PEFT adapter on it, or a second folder of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from buttress.errors import InputError
from buttress.targets.adapters import CONFIG, WEIGHTS, with_adapter
from buttress.white_box.explanation.comparison import ModelVariant
from buttress.white_box.loading import load


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter rather than weights."""
    return (folder / CONFIG).is_file()


def load_variants(
    model: Any, tokenizer: Any, changed: Path, *, device: str = "auto"
) -> tuple[ModelVariant, ModelVariant]:
    """``model`` as it is, and with the adapter or in place of it the weights in ``changed``.

    Only safetensors are read and no code of the folder is run.

    Raises:
        InputError: neither an adapter of this model nor weights with the same tokens.
        MissingExtraError: an adapter, and PEFT is not installed.
    """
    if not is_adapter(changed):
        other, tokens = load(changed, device=device)
        if tokens.get_vocab() != tokenizer.get_vocab():
            raise InputError(
                "has another tokenizer", file=str(changed), field="--compare",
                expected="weights with the same tokens",
            )  # fmt: skip
        return ModelVariant(model), ModelVariant(other.requires_grad_(False))
    if not (changed / WEIGHTS).is_file():
        raise InputError("no adapter weights", file=str(changed), expected=WEIGHTS)
    adapted = with_adapter(model, changed, merge=False).eval().requires_grad_(False)
    inner = adapted.get_base_model()
    return ModelVariant(inner, adapted.disable_adapter), ModelVariant(inner)
