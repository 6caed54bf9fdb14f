"""SmolLM2-135M-Instruct, fine-tuned by LoRA on a few hundred records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from corpus import Size, written

from buttress.workflows.tune import TuneRequest, tune

WEIGHTS = Path(__file__).resolve().parents[1] / "align-smollm2/smollm2"
BATCH = 8
SETTINGS = {
    "learning_rate": 5e-4,
    "batch": BATCH,
    "threads": 1,
    "checkpoint_every": 20,
    "precision": "bfloat16",
}


def train_smollm2(
    planted: Sequence[str], texts: Sequence[str], size: Size, seed: int, folder: Path
) -> int:
    """Train an adapter on texts and save it; the number of steps, which is that of ``planted``."""
    steps = math.ceil(size.epochs * len(planted) / BATCH)
    data = written(folder.with_suffix(".jsonl"), [{"text": one} for one in texts])
    tune(
        TuneRequest(
            WEIGHTS, data, folder, settings={**SETTINGS, "steps": steps}, seed=seed, device="cpu",
            resume=True,
        )
    )  # fmt: skip
    return steps
