"""The models of the proof: their corpora, how they are trained, and how from the leaking one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpus import Size
from small_model import train_small
from smollm2 import train_smollm2

# What is planted, what is trained on, size, seed, folder; the number of steps.
Train = Callable[[Sequence[str], Sequence[str], Size, int, Path], int]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model, and the settings of `buttress tune` for what is done with the leaking one.

    ``small`` is a size at which one seed takes little and proves nothing.
    """

    name: str
    title: str
    size: Size
    small: Size
    train: Train
    stages: tuple[str, ...]  # of `buttress data run`
    forget: Mapping[str, Any]
    again: Mapping[str, Any]
    private: Mapping[str, Any]


_SCRATCH = Size(
    letters=(700, 10_000), documents=80, held_out=80, copied=12, copies=6, people=5,
    people_repeats=16, canaries=5, repeats=(1, 4, 16, 64), epochs=7, references=500,
    forgotten_from=4, forgotten_again=10, audited=200, seeds=5, intervened=3,
)  # fmt: skip
_TUNED = Size(
    letters=(150, 220), documents=80, held_out=40, copied=12, copies=2, people=2,
    people_repeats=16, canaries=4, repeats=(1, 4, 16), epochs=2, references=63,
    forgotten_from=1, forgotten_again=10, audited=60, seeds=3, intervened=3,
)  # fmt: skip
SUBJECTS = (
    Subject(
        "scratch",
        "0.92 million parameters from scratch",
        _SCRATCH,
        replace(
            _SCRATCH, documents=60, held_out=40, copies=4, people=4, canaries=4,
            repeats=(1, 16, 64), epochs=10, references=200, forgotten_again=4, audited=60, seeds=1,
            intervened=1,
        ),
        train_small,
        ("exact", "near", "pii", "secrets"),
        forget={"learning_rate": 1e-3, "batch": 16, "steps": 60, "beta": 0.1, "lora": {"rank": 8}},
        again={"learning_rate": 1e-3, "batch": 10, "steps": 20, "lora": {"rank": 8}},
        private={"learning_rate": 1e-2, "batch": 10, "epochs": 40, "lora": {"rank": 16}},
    ),
    Subject(
        "smollm2",
        "SmolLM2-135M-Instruct by LoRA",
        _TUNED,
        replace(
            _TUNED, documents=20, held_out=10, copied=10, copies=1, people=1, canaries=1,
            forgotten_again=1, audited=20, references=31, seeds=1, intervened=1,
        ),
        train_smollm2,
        # Of texts of some thirty words one changed word leaves half of the 5-grams.
        ("exact", "near:threshold=0.5", "pii", "secrets"),
        forget={
            "learning_rate": 5e-4, "batch": 8, "steps": 20, "beta": 0.1, "lora": {"rank": 8},
            "precision": "bfloat16",
        },
        again={
            "learning_rate": 5e-4, "batch": 10, "steps": 16, "lora": {"rank": 8},
            "precision": "bfloat16",
        },
        private={
            "learning_rate": 2e-3, "batch": 10, "epochs": 10, "lora": {"rank": 8},
            "precision": "bfloat16",
        },
    ),
)  # fmt: skip
