"""Loading a model that writes text, and refusing what transformers would load as one in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
import transformers as untyped

from buttress.errors import InputError
from buttress.targets.completion import one_line

transformers: Any = untyped  # partly without types
OPTIONS: Final[dict[str, Any]] = {"local_files_only": True, "trust_remote_code": False}


def load_causal_model(folder: Path, device: str) -> Any:
    """The causal language model in a Hugging Face folder, in float32 on a CPU.

    Only safetensors weights are read and no code from the folder is run.

    Raises:
        InputError: not such a model, weights are missing (transformers would draw them at random),
            or it sees what comes later, as encoders do.
    """
    try:
        model, found = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32 if device == "cpu" else "auto", use_safetensors=True,
            output_loading_info=True, **OPTIONS,
        )  # fmt: skip
        model = model.to(device).eval()
    except Exception as error:  # of many kinds, as the folder is at fault in many ways
        raise InputError(
            f"can't be loaded: {_why(error)}", file=str(folder),
            expected="a causal language model that transformers knows, in safetensors",
        ) from None  # fmt: skip
    if missing := sorted(found["missing_keys"]):
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise InputError(
            f"the weights lack {missing[0]}{more}", file=str(folder),
            expected="a whole causal language model",
        )  # fmt: skip
    if not _is_causal(model):
        raise InputError(
            "its tokens see those that come later: an encoder", file=str(folder),
            expected="a causal language model",
        )  # fmt: skip
    return model


def fit_tokenizer(tokenizer: Any, model: Any, folder: Path) -> None:
    """Have no padding token that the model does not embed: the end of text stands for it.

    Raises:
        InputError: the tokenizer writes other tokens that it does not embed.
    """
    size = model.get_input_embeddings().weight.shape[0]
    beyond = [token for token, place in tokenizer.get_vocab().items() if place >= size]
    if others := sorted(token for token in beyond if token != tokenizer.pad_token):
        raise InputError(
            f"its tokenizer has {len(others)} tokens that the model doesn't embed, such as "
            f"{one_line(others[0], 40)!r}", file=str(folder), expected="the model's own tokenizer",
        )  # fmt: skip
    if beyond:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token


def _why(error: Exception) -> str:
    text = str(error)
    if text.startswith("Unrecognized configuration class"):
        named = text.partition("configuration_")[2].partition(".")[0] or "this one"
        return f"transformers has no causal language model of type {named}"
    return one_line(text)


@torch.no_grad()
def _is_causal(model: Any) -> bool:
    """Whether the last of three tokens leaves the prediction at the first one as it is."""
    size = model.get_input_embeddings().weight.shape[0]
    if size < 4:
        return True
    rows = torch.tensor([[1, 2, 3], [1, 2, 0]], device=model.device)
    mask = torch.ones_like(rows)
    found = model(input_ids=rows, attention_mask=mask, use_cache=False).logits[:, 0].float()
    return bool(torch.allclose(found[0], found[1], atol=1e-3, rtol=1e-3, equal_nan=True))
