"""Interventions that work without training, as files that a target loads: gates and steering.

Both are safetensors files: numbers only, nothing in them is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from buttress.errors import InputError
from buttress.files.atomic import atomic_path
from buttress.white_box.gate import Gate

GATE_NAME: Final = "gate.safetensors"
STEERING_NAME: Final = "steering.safetensors"
_TENSORS: Final = ("centre", "scale", "weights")


@dataclass(frozen=True, slots=True)
class Steering:
    """``vector`` (size,) is added, ``strength`` times, to what enters ``layer``, at all positions."""

    identity: str
    vector: torch.Tensor
    layer: int
    strength: float


def save_gate(path: Path, gate: Gate, about: Mapping[str, Any]) -> None:
    """Write a gate; ``about`` says how it was fitted. A kill leaves no file or the whole one.

    Raises:
        InputError: it can't be written.
    """
    tensors = {name: torch.from_numpy(getattr(gate, name)).contiguous() for name in _TENSORS}
    header = {
        "kind": "gate",
        "identity": gate.identity,
        "layers": list(gate.layers),
        "bias": gate.bias,
        "threshold": gate.threshold,
        "refusals": dict(gate.refusals),
        "about": dict(about),
    }
    _save(path, tensors, header)


def load_gate(path: Path) -> Gate:
    """The gate in a file.

    Raises:
        InputError: not such a file.
    """
    header, tensors = _load(path, "gate", _TENSORS)
    try:
        sizes = {tensors[name].shape for name in _TENSORS}
        refusals = {str(code): str(text) for code, text in header["refusals"].items()}
        layers = tuple(int(layer) for layer in header["layers"])
        bias, threshold = float(header["bias"]), float(header["threshold"])
        usable = len(sizes) == 1 and tensors["weights"].dim() == 1 and layers and refusals["en"]
        finite = all(bool(tensors[name].isfinite().all()) for name in _TENSORS)
        if not usable or not finite or not np.isfinite([bias, threshold]).all():
            raise ValueError
        arrays = {name: tensors[name].double().numpy() for name in _TENSORS}
        return Gate(
            identity=str(header["identity"]), layers=layers, bias=bias, threshold=threshold,
            refusals=refusals, **arrays,
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unusable(path, "gate") from None


def save_steering(path: Path, steering: Steering, about: Mapping[str, Any]) -> None:
    """Write a steering vector; as ``save_gate``.

    Raises:
        InputError: it can't be written.
    """
    header = {
        "kind": "steering",
        "identity": steering.identity,
        "layer": steering.layer,
        "strength": steering.strength,
        "about": dict(about),
    }
    _save(path, {"vector": steering.vector.float().contiguous()}, header)


def load_steering(path: Path) -> Steering:
    """The steering vector in a file.

    Raises:
        InputError: not such a file.
    """
    header, tensors = _load(path, "steering", ("vector",))
    try:
        vector, strength = tensors["vector"], float(header["strength"])
        if vector.dim() != 1 or not bool(vector.isfinite().all()) or not np.isfinite(strength):
            raise ValueError
        return Steering(str(header["identity"]), vector, int(header["layer"]), strength)
    except (ValueError, KeyError, TypeError):
        raise _unusable(path, "steering") from None


def _save(path: Path, tensors: dict[str, torch.Tensor], header: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as beside:
        save_file(tensors, beside, metadata={"buttress": json.dumps(header, ensure_ascii=False)})


def _load(
    path: Path, kind: str, names: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    if not path.is_file():
        raise InputError("no such file", file=str(path), field=kind)
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["buttress"])
            tensors = {name: file.get_tensor(name) for name in names}
        if header["kind"] != kind:
            raise ValueError
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        raise _unusable(path, kind) from None
    return header, tensors


def _unusable(path: Path, kind: str) -> InputError:
    return InputError(
        "is not usable", file=str(path), field=kind,
        expected=f"a {kind} file that `buttress harden` or `buttress align` wrote",
    )  # fmt: skip
