"""``buttress tune`` beside TRL: the same losses step by step, and CPU seconds a step.

Both start from the same adapter and take the same batch in each step, so the losses of later steps
agree only if gradients, clipping, learning rates and the optimizer agree. One thread. What comes
before training (the reference model's log-probabilities, and our trial of the architecture) is told
apart from the steps. TRL is a peer here and no dependency: ``pip install trl``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
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


@dataclass
class CpuTimes:
    """CPU seconds at the begin and after each step."""

    marks: list[float] = field(default_factory=lambda: [time.process_time()])

    def mark(self, _: Any = None) -> None:
        """A step is done."""
        self.marks.append(time.process_time())

    @property
    def whole(self) -> float:
        """Of all."""
        return self.marks[-1] - self.marks[0]

    @property
    def step(self) -> float:
        """Of a step, the first left out: it holds what comes before."""
        return (self.marks[-1] - self.marks[1]) / max(1, len(self.marks) - 2)


def ours(folder: Path, made: list[dict[str, Any]], settings: TuneSettings) -> tuple[Any, CpuTimes]:
    """Losses, and CPU seconds, the reference model's included."""
    base, tokenizer = load(folder, device="cpu")
    model = add_adapter(base, settings.lora, 0)
    times = CpuTimes()
    data = ExampleReader(tokenizer, settings.max_tokens).pairs(made)
    terms = terms_of(model, settings, data, None, 0)
    return train(model, terms, settings, seed=0, say=times.mark), times


def trl(folder: Path, made: list[dict[str, Any]], settings: TuneSettings) -> tuple[Any, CpuTimes]:
    """The same by TRL's trainer."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import DPOConfig, DPOTrainer

    class Marking(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.mark()

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
        times = CpuTimes()
        trainer = DPOTrainer(
            model=model, args=config, train_dataset=Dataset.from_list(made),
            processing_class=tokenizer, callbacks=[Marking()],
        )  # fmt: skip
        trainer.train()
    return [one["loss"] for one in trainer.state.log_history if "loss" in one], times


def main() -> None:
    """Print losses, the largest difference and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="Hugging Face folder (default: a tiny model)")
    parser.add_argument("--steps", type=int, default=4, help="2 to 20")
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
    for name, spent, peer in (
        (f"all, {options.steps} steps", mine.whole, theirs.whole),
        ("a step after the first", mine.step, theirs.step),
    ):
        print(f"CPU s, {name}: ours {spent:.1f}, TRL {peer:.1f}, ratio {peer / spent:.2f}")


if __name__ == "__main__":
    main()
