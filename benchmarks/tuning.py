"""``buttress tune`` beside TRL: the same losses step by step, and CPU seconds a step.

Both start from the same adapter and take the same batch in each step, so the losses of later steps
agree only if gradients, clipping, learning rates and the optimizer agree. One thread. TRL is a
peer here and no dependency: ``pip install trl``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.training.making import ANSWER, REFUSAL, weights

from buttress.training.adapter import add_adapter
from buttress.training.examples import ExampleReader
from buttress.training.loop import train
from buttress.training.objective import terms_of
from buttress.training.settings import TuneSettings, settings_of
from buttress.white_box.loading import load

QUESTION = "tell a tale of the sea and the stars that shine over the old house by the lake"


def pairs(count: int) -> list[dict[str, Any]]:
    """Pairs as messages."""
    return [
        {
            "prompt": [{"role": "user", "content": f"{number} {QUESTION}"}],
            "chosen": [
                {"role": "assistant", "content": (f"{number} {ANSWER} " * (3 + number % 3)).strip()}
            ],
            "rejected": [
                {"role": "assistant", "content": (f"{REFUSAL} " * (9 - number % 4)).strip()}
            ],
        }
        for number in range(count)
    ]


def ours(folder: Path, made: list[dict[str, Any]], settings: TuneSettings) -> tuple[Any, float]:
    """Losses, and CPU seconds of all, the reference model's included."""
    base, tokenizer = load(folder, device="cpu")
    model = add_adapter(base, settings.lora, 0)
    start = time.process_time()
    data = ExampleReader(tokenizer, settings.max_tokens).pairs(made)
    losses = train(model, terms_of(model, settings, data, None, 0), settings, seed=0)
    return losses, time.process_time() - start


def trl(folder: Path, made: list[dict[str, Any]], settings: TuneSettings) -> tuple[Any, float]:
    """The same by TRL's trainer."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    base, tokenizer = load(folder, device="cpu")
    model = add_adapter(base, settings.lora, 0)
    with tempfile.TemporaryDirectory() as out:
        config = DPOConfig(
            output_dir=out, max_steps=settings.steps, learning_rate=settings.learning_rate,
            per_device_train_batch_size=settings.batch, lr_scheduler_type="constant",
            max_grad_norm=settings.clip, beta=settings.beta, max_length=settings.max_tokens,
            precompute_ref_log_probs=True, precompute_ref_batch_size=settings.batch,
            logging_steps=1, report_to="none", save_strategy="no", use_cpu=True, bf16=False,
            gradient_checkpointing=False, disable_tqdm=True, dataloader_pin_memory=False,
        )  # fmt: skip
        start = time.process_time()
        trainer = DPOTrainer(
            model=model, args=config, train_dataset=Dataset.from_list(made),
            processing_class=tokenizer,
        )  # fmt: skip
        trainer.train()
        spent = time.process_time() - start
    return [one["loss"] for one in trainer.state.log_history if "loss" in one], spent


def main() -> None:
    """Print losses, the largest difference and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="Hugging Face folder (default: a tiny model)")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=2e-4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = settings_of({
        "method": "dpo", "steps": options.steps, "batch": options.batch, "schedule": "constant",
        "warmup": 0.0, "learning_rate": options.rate,
    })  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = options.weights or weights(Path(name))
        made = pairs(options.batch)
        first, mine = ours(folder, made, settings)
        second, theirs = trl(folder, made, settings)
    for number, (one, other) in enumerate(zip(first, second, strict=True), 1):
        print(f"step {number}: ours {one:.6f}, TRL {other:.6f}")
    print(f"largest difference {max(abs(a - b) for a, b in zip(first, second, strict=True)):.2g}")
    print(
        f"CPU seconds with {options.steps} steps: ours {mine:.1f}, TRL {theirs:.1f}, "
        f"ratio {theirs / mine:.2f}"
    )


if __name__ == "__main__":
    main()
