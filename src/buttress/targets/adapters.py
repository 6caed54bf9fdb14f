"""Folders with an adapter of PEFT: which base model it belongs to, and both loaded as one model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError, MissingExtraError
from buttress.files.atomic import read_json

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
_BASE: Final = "base_model_name_or_path"
_MODEL: Final = "config.json"


def holds_model(folder: Path) -> bool:
    """Whether a folder is that of a transformers model or of an adapter, whole or not."""
    return any((folder / name).is_file() for name in (_MODEL, CONFIG, WEIGHTS))


def base_of(folder: Path) -> Path | None:
    """The folder of the base model that an adapter names; None where ``folder`` has no adapter.

    A relative path is taken from the adapter's folder.

    Raises:
        InputError: the adapter has no safetensors weights or no configuration, or its base model
            is not here.
    """
    path = folder / CONFIG
    if not path.is_file():
        if (folder / WEIGHTS).is_file() and not (folder / _MODEL).is_file():
            raise InputError("an adapter without its configuration", file=str(folder),
                             expected=f"{CONFIG} beside {WEIGHTS}")  # fmt: skip
        return None
    if not (folder / WEIGHTS).is_file():
        raise InputError("no adapter weights", file=str(folder), expected=WEIGHTS)
    data = read_json(path, _BASE, "the configuration of an adapter")
    named = data.get(_BASE) if isinstance(data, dict) else None
    if not isinstance(named, str) or not named:
        raise InputError("missing", file=str(path), field=_BASE, expected="the base model's folder")
    base = folder / named  # an absolute path stays as it is
    if not (base / _MODEL).is_file():
        stacked = (base / CONFIG).is_file()
        raise InputError(
            f"'{named}' is an adapter itself" if stacked else f"no model in '{named}'",
            file=str(path), field=_BASE,
            expected="the folder of a whole model" if stacked else "the folder of the base model",
        )  # fmt: skip
    return base


def scores_answers(folder: Path) -> bool:
    """Whether the adapter in ``folder`` is that of a reward model, which writes no answers."""
    data = read_json(folder / CONFIG, "task_type", "the configuration of an adapter")
    return isinstance(data, dict) and data.get("task_type") == "SEQ_CLS"


def with_adapter(model: Any, folder: Path, *, merge: bool = True) -> Any:
    """The base model with the adapter of ``folder``; merged into its weights by default.

    Raises:
        MissingExtraError: peft is not installed.
        InputError: the adapter doesn't fit the model.
    """
    if scores_answers(folder) and model.get_output_embeddings() is not None:
        raise InputError(
            "the adapter of a reward model", file=str(folder), expected="that of a chat model"
        )
    try:
        from peft import PeftModel
    except ImportError:
        raise MissingExtraError("a model with an adapter", "tune") from None
    try:
        with without_peft_warnings():
            adapted: Any = PeftModel.from_pretrained(model, str(folder), local_files_only=True)
    except Exception as error:  # of many kinds, as the folder is at fault in many ways
        why = " ".join(str(error).split())[:300]
        raise InputError(
            f"does not fit the base model: {why}", file=str(folder), expected="a PEFT adapter"
        ) from None
    return adapted.merge_and_unload() if merge else adapted


@contextmanager
def without_peft_warnings() -> Iterator[None]:
    """What is no news to the user: it asks for attributes that transformers has deprecated, and
    corrects a setting for the layers of GPT-2.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", "fan_in_fan_out", UserWarning)
        yield
