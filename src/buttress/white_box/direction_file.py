"""A refusal direction in a safetensors file, with its scores and what it was found with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from buttress.errors import InputError
from buttress.files.atomic import atomic_path
from buttress.white_box.refusal_direction import Direction

FILE_NAME: Final = "refusal-direction.safetensors"
_SCORES: Final = ("baseline", "bypass", "induce", "divergence")


def save_direction(path: Path, direction: Direction, found_with: Mapping[str, Any]) -> None:
    """Write it; a kill at any moment leaves no file or the whole one.

    Raises:
        InputError: it can't be written.
    """
    scores = {name: getattr(direction, name) for name in (*_SCORES, "layer", "position")}
    with atomic_path(path) as beside:
        save_file(
            {"difference": direction.difference.float().contiguous()},
            beside,
            metadata={"scores": json.dumps(scores), "found_with": _canonical(found_with)},
        )


def load_direction(path: Path, found_with: Mapping[str, Any] | None = None) -> Direction | None:
    """The direction in ``path``; None if there is none, or none that was found with just this.

    Raises:
        InputError: not such a file.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            known = file.metadata() or {}
            difference: torch.Tensor = file.get_tensor("difference")
        scores = json.loads(known["scores"])
        if found_with is not None and known["found_with"] != _canonical(found_with):
            return None
        return Direction(
            vector=difference / difference.norm(),
            difference=difference,
            layer=int(scores["layer"]),
            position=int(scores["position"]),
            **{name: float(scores[name]) for name in _SCORES},
        )
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "not a refusal direction", file=str(path), expected="a file that this command wrote"
        ) from None


def _canonical(found_with: Mapping[str, Any]) -> str:
    return json.dumps(found_with, sort_keys=True)
