"""``buttress tune`` beside TRL: the same losses step by step, CPU seconds a step, peak memory.

Both start from the same adapter and take the same batch in each step, so the losses of later steps
agree only if gradients, clipping, learning rates and the optimizer agree (of ``reward`` the head is
drawn by each with the same seed; of ``grpo`` the answers are drawn by each). One thread. What comes
before training (the reference model's log-probabilities, and our trial of the architecture) is told
apart from the steps. TRL is a peer of ``dpo`` and ``sft``; ``reward`` and ``grpo`` run through it,
so the ratio is what we add. ``pip install trl``.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.training.making import ANSWER, REFUSAL, weights
from tests.white_box.tiny import tokenizer

from buttress.targets.base import Message
from buttress.training.adapter import add_adapter, lora_config
from buttress.training.examples import ExampleReader
from buttress.training.loop import train
from buttress.training.objective import terms_of
from buttress.training.reward_model import HEAD, RewardModel, reward_base, set_padding
from buttress.training.settings import THROUGH_TRL, TuneSettings, settings_of
from buttress.training.trl_trainers import train_by_reinforcement, train_reward_model
from buttress.white_box.loading import load, load_tokenizer

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


def made_model(folder: Path, settings: TuneSettings) -> tuple[Any, Any]:
    """A model with a new adapter, and its tokenizer."""
    base, tokenizer = load(folder, device="cpu")
    return add_adapter(base, settings.lora, 0), tokenizer


def ours(
    folder: Path, made: list[dict[str, Any]], settings: TuneSettings, out: Path
) -> tuple[Any, CpuTimes]:
    """Losses, and CPU seconds, the reference model's included."""
    if settings.method in THROUGH_TRL:
        return ours_through_trl(folder, made, settings, out)
    model, tokenizer = made_model(folder, settings)
    times = CpuTimes()
    reader = ExampleReader(tokenizer, settings.max_tokens)
    data = reader.pairs(made) if settings.method == "dpo" else reader.examples(made)
    terms = terms_of(model, settings, data, None, 0)
    return train(model, terms, settings, seed=0, say=times.mark), times


def ours_through_trl(
    folder: Path, made: list[dict[str, Any]], settings: TuneSettings, out: Path
) -> tuple[Any, CpuTimes]:
    """The same where TRL runs the steps."""
    if settings.method == "reward":
        torch.manual_seed(0)
        base = reward_base(folder, "cpu")
        tokenizer = load_tokenizer(folder)
        times = CpuTimes()
        data = ExampleReader(tokenizer, settings.max_tokens).pairs(made)
        run = train_reward_model(
            base, tokenizer, data.pairs, settings, seed=0, folder=out, validation=None,
            say=times.mark,
        )  # fmt: skip
        return run.losses, times
    model, tokenizer = load(folder, device="cpu")
    reward = scorer(folder)
    times = CpuTimes()
    prompts = [[Message(**one) for one in record["prompt"]] for record in made]
    run = train_by_reinforcement(
        model, tokenizer, prompts, reward, settings, seed=0, folder=out, validation=None,
        say=times.mark,
    )  # fmt: skip
    return run.losses, times


def scorer(folder: Path) -> RewardModel:
    """A reward model with a random head."""
    torch.manual_seed(0)
    model, tokenizer = reward_base(folder, "cpu").eval(), load_tokenizer(folder)
    set_padding(model, tokenizer)
    return RewardModel(model, tokenizer, ExampleReader(tokenizer, 512))


def trl(
    folder: Path, made: list[dict[str, Any]], settings: TuneSettings, out: Path
) -> tuple[Any, CpuTimes]:
    """The same by TRL's trainers alone."""
    import trl as peer
    from datasets import Dataset
    from transformers import TrainerCallback

    class Marking(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.mark()

    common: dict[str, Any] = {
        "output_dir": str(out), "max_steps": settings.steps,
        "learning_rate": settings.learning_rate, "per_device_train_batch_size": settings.batch,
        "lr_scheduler_type": "constant", "max_grad_norm": settings.clip, "logging_steps": 1,
        "report_to": "none", "save_strategy": "no", "use_cpu": True, "bf16": False,
        "gradient_checkpointing": False, "disable_tqdm": True, "dataloader_pin_memory": False,
        "seed": 0,
    }  # fmt: skip
    options: dict[str, Any] = {"train_dataset": Dataset.from_list(made), "callbacks": [Marking()]}
    if settings.method in ("dpo", "sft"):
        model, tokenizer = made_model(folder, settings)
    else:
        options["peft_config"] = lora_config(
            settings.lora, head=HEAD if settings.method == "reward" else None
        )
        tokenizer = load_tokenizer(folder)
        torch.manual_seed(0)
    times = CpuTimes()
    if settings.method == "dpo":
        config = peer.DPOConfig(
            **common, beta=settings.beta, max_length=settings.max_tokens,
            precompute_ref_log_probs=True, precompute_ref_batch_size=settings.batch,
        )  # fmt: skip
        trainer = peer.DPOTrainer(model=model, args=config, processing_class=tokenizer, **options)
    elif settings.method == "sft":
        config = peer.SFTConfig(**common, max_length=settings.max_tokens)
        trainer = peer.SFTTrainer(model=model, args=config, processing_class=tokenizer, **options)
    elif settings.method == "reward":
        model = reward_base(folder, "cpu")
        set_padding(model, tokenizer)
        times = CpuTimes()
        config = peer.RewardConfig(**common, max_length=settings.max_tokens)
        trainer = peer.RewardTrainer(
            model=model, args=config, processing_class=tokenizer, **options
        )
    else:
        model, _ = load(folder, device="cpu")
        reward = scorer(folder)
        times = CpuTimes()
        common["per_device_train_batch_size"] = settings.samples
        config = peer.GRPOConfig(
            **common, gradient_accumulation_steps=settings.batch,
            num_generations=settings.samples, max_completion_length=settings.answer_tokens,
            temperature=settings.temperature, beta=settings.beta,
        )  # fmt: skip
        trainer = peer.GRPOTrainer(
            model=model, args=config, processing_class=tokenizer, reward_funcs=reward.model,
            reward_processing_classes=reward.tokenizer, **options,
        )  # fmt: skip
    trainer.train()
    return [one["loss"] for one in trainer.state.log_history if "loss" in one], times


def records(method: str, count: int) -> list[dict[str, Any]]:
    """What the method learns from, as TRL takes it and as we do."""
    made = pairs(count)
    if method == "sft":
        return [{"prompt": one["prompt"], "completion": one["chosen"]} for one in made]
    if method == "grpo":
        return [{"prompt": one["prompt"]} for one in made]
    return made


def middle(folder: Path) -> Path:
    """Random weights, large enough that time goes into the model (11 million parameters)."""
    import transformers

    made = tokenizer()
    config = transformers.LlamaConfig(
        vocab_size=len(made), hidden_size=320, intermediate_size=960, num_hidden_layers=8,
        num_attention_heads=5, num_key_value_heads=5, pad_token_id=0, bos_token_id=1,
        eos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    made.save_pretrained(folder)
    return folder


def main() -> None:
    """Print losses, the largest difference and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="Hugging Face folder (default: a tiny model)")
    parser.add_argument("--method", default="dpo", choices=("dpo", "sft", "reward", "grpo"))
    parser.add_argument("--random", action="store_true", help="a middling model, random weights")
    parser.add_argument("--steps", type=int, default=4, help="2 to 20")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=2e-4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from trl import (  # noqa: F401 - its import belongs to neither side
        DPOTrainer,
        GRPOTrainer,
        RewardTrainer,
        SFTTrainer,
    )  # fmt: skip

    settings = settings_of({
        "method": options.method, "steps": options.steps, "batch": options.batch,
        "schedule": "constant", "warmup": 0.0, "learning_rate": options.rate, "answer_tokens": 32,
    })  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        folder = options.weights or (middle if options.random else weights)(place / "model")
        made = records(options.method, options.batch)
        first, mine = ours(folder, made, settings, place / "ours")
        memory = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]
        second, theirs = trl(folder, made, settings, place / "trl")
        memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    for number, (one, other) in enumerate(zip(first, second, strict=True), 1):
        print(f"step {number}: ours {one:.6f}, TRL {other:.6f}")
    print(f"largest difference {max(abs(a - b) for a, b in zip(first, second, strict=True)):.2g}")
    for name, spent, peer in (
        (f"all, {options.steps} steps", mine.whole, theirs.whole),
        ("a step after the first", mine.step, theirs.step),
    ):
        print(f"CPU s, {name}: ours {spent:.1f}, TRL {peer:.1f}, ratio {peer / spent:.2f}")
    print(f"peak memory: ours {memory[0]:.0f} MB, of both one after the other {memory[1]:.0f} MB")


if __name__ == "__main__":
    main()
