"""Loading a model whose inside is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
import transformers as untyped

from buttress.errors import InputError
from buttress.targets.adapters import base_of, with_adapter
from buttress.targets.causal_model import OPTIONS, fit_tokenizer, load_causal_model
from buttress.targets.completion import one_line
from buttress.targets.settings import existing

transformers: Any = untyped  # partly without types
_SAMPLE: Final = 64  # values of each tensor that a fingerprint reads


def load(weights: str | Path, *, device: str = "auto") -> tuple[Any, Any]:
    """Model and tokenizer in the Hugging Face folder ``weights``, in float32 on a CPU.

    Only safetensors weights are read and no code from the folder is run.

    Args:
        weights: folder with config.json, tokenizer and ``*.safetensors``, or with an adapter, which
            is merged into the base model that it names.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1" …

    Raises:
        InputError: not a usable folder.
    """
    folder = existing(weights, "weights", folder=True)
    base = base_of(folder)
    if base is not None:
        loaded, words = load(base, device=device)
        return with_adapter(loaded, folder).eval(), words
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.device(device)
    except RuntimeError:
        raise InputError(
            f"unknown device '{device}'", field="device", expected="auto, cpu, cuda, cuda:1 …"
        ) from None
    transformers.utils.logging.disable_progress_bar()  # we tell of progress ourselves
    tokenizer = load_tokenizer(folder)
    model = load_causal_model(folder, device)
    fit_tokenizer(tokenizer, model, folder)
    return model, tokenizer


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in the Hugging Face folder ``folder``.

    Raises:
        InputError: there is none that transformers knows.
    """
    try:
        return transformers.AutoTokenizer.from_pretrained(folder, **OPTIONS)
    except Exception as error:  # of many kinds, as the folder is at fault in many ways
        raise InputError(f"no usable tokenizer: {one_line(str(error))}", file=str(folder)) from None


def fingerprint(model: Any) -> str:
    """Digest over each weight's name, shape, type and 64 of its values, spread evenly.

    Tells models and their fine-tuned versions apart in a moment; it is no proof against someone
    who changes the values in between.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        flat = tensor.detach().reshape(-1)
        picked = flat[:: max(1, flat.numel() // _SAMPLE)].cpu()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(picked.double().numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Dropout off inside, and as it was afterwards."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
