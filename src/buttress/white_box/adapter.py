"""A model before and after: a PEFT adapter on it, or a second folder of weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError, MissingExtraError
from buttress.targets.completion import one_line
from buttress.white_box.explanation.comparison import ModelVariant
from buttress.white_box.loading import load

_CONFIG: Final = "adapter_config.json"
_WEIGHTS: Final = "adapter_model.safetensors"


def load_variants(
    model: Any, tokenizer: Any, changed: Path, *, device: str = "auto"
) -> tuple[ModelVariant, ModelVariant]:
    """``model`` as it is, and with the adapter or in place of it the weights in ``changed``.

    Only safetensors are read and no code of the folder is run.

    Raises:
        InputError: neither an adapter of this model nor weights with the same tokens.
        MissingExtraError: an adapter, and PEFT is not installed.
    """
    if not (changed / _CONFIG).is_file():
        other, tokens = load(changed, device=device)
        if tokens.get_vocab() != tokenizer.get_vocab():
            raise InputError(
                "has another tokenizer", file=str(changed), field="--compare",
                expected="weights with the same tokens",
            )  # fmt: skip
        return ModelVariant(model), ModelVariant(other.requires_grad_(False))
    if not (changed / _WEIGHTS).is_file():
        raise InputError(f"no {_WEIGHTS}", file=str(changed), expected="an adapter in safetensors")
    if find_spec("peft") is None:
        raise MissingExtraError("an adapter", "peft")
    from peft import PeftModel  # heavy

    try:
        adapted: Any = PeftModel.from_pretrained(model, str(changed), local_files_only=True)
    except Exception as error:  # of many kinds, as the folder is at fault in many ways
        raise InputError(
            f"can't be put on the model: {one_line(str(error))}", file=str(changed),
            field="--compare", expected="a PEFT adapter of these weights",
        ) from None  # fmt: skip
    inner = adapted.eval().requires_grad_(False).get_base_model()
    return ModelVariant(inner, adapted.disable_adapter), ModelVariant(inner)
