"""The offline judge's model: two logistic regressions over named features and hashed words.

``refusal`` gives the probability that an answer refuses, ``harm`` the probability that it gives
help with a harmful request. The weights of named features are readable (``offline.json``), those of
hashed words are bytes beside it (``offline.npz``); both are covered by the digest, and so is the
judge's calibration, which stands in the JSON file too.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from buttress.judges import ngrams
from buttress.judges.calibrated import Calibrations
from buttress.judges.features import NAMES

FILE: Final = "offline.json"
TABLES: Final = "offline.npz"
_LEVELS: Final = 127


@dataclass(frozen=True, slots=True)
class Head:
    """One regression. ``named`` has shape (len(NAMES),), ``hashed`` (ngrams.SIZE,)."""

    named: npt.NDArray[np.float64]
    hashed: npt.NDArray[np.float64]
    bias: float

    def probability(self, vector: npt.NDArray[np.float64], places: npt.NDArray[np.int64]) -> float:
        """Of the outcome, for features of shape (len(NAMES),) and places from ``ngrams``."""
        said = float(self.hashed[places].sum()) * ngrams.value(len(places))
        return logistic(float(np.dot(self.named, vector)) + said + self.bias)


@dataclass(frozen=True, slots=True)
class JudgeModel:
    """Both regressions."""

    refusal: Head
    harm: Head

    def to_json(self) -> dict[str, Any]:
        """The readable part of the stored form."""
        return {
            name: {
                "bias": head.bias,
                "weights": {n: float(w) for n, w in zip(NAMES, head.named, strict=True) if w},
            }
            for name, head in (("refusal", self.refusal), ("harm", self.harm))
        }

    def tables(self) -> bytes:
        """The weights of hashed words: 8-bit levels and the size of a level, as NPZ."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name, head in (("refusal", self.refusal), ("harm", self.harm)):
            step = level_of(head.hashed)
            arrays[name] = np.rint(head.hashed / step).astype(np.int8)
            arrays[f"{name}_step"] = np.array(step)
        stream = io.BytesIO()
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
        return stream.getvalue()


@dataclass(frozen=True, slots=True)
class Trained:
    """What the package ships: model, its calibrations, and a digest of both.

    ``rules`` is the version of the judge's rules with which the calibrations were counted.
    """

    model: JudgeModel
    calibrations: Calibrations
    digest: str
    rules: int


def load() -> Trained:
    """The model that the package ships."""
    folder = files("buttress.judges").joinpath("data")
    content, tables = folder.joinpath(FILE).read_bytes(), folder.joinpath(TABLES).read_bytes()
    data = json.loads(content)
    with np.load(io.BytesIO(tables), allow_pickle=False) as stored:
        heads = {
            name: Head(
                _vector(data[name]["weights"]),
                stored[name].astype(np.float64) * float(stored[f"{name}_step"]),
                data[name]["bias"],
            )
            for name in ("refusal", "harm")
        }
    return Trained(
        JudgeModel(heads["refusal"], heads["harm"]),
        Calibrations.from_json(data["calibration"]),
        hashlib.sha256(content + tables).hexdigest(),
        data["rules"],
    )


def level_of(weights: npt.NDArray[np.float64]) -> float:
    """The size of a level when weights are stored in 8 bits."""
    return max(float(np.abs(weights).max()), 1e-9) / _LEVELS


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)) without overflow."""
    return 0.5 * (1 + math.tanh(x / 2))


def _vector(weights: Mapping[str, float]) -> npt.NDArray[np.float64]:
    return np.array([weights.get(name, 0.0) for name in NAMES])
