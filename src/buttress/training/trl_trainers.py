"""Reward models and reinforcement learning through TRL's trainers.

``reward``: Bradley-Terry. ``rloo``: Ahmadian et al. 2024, arXiv:2402.14740. ``grpo``: Shao et al.
2024, arXiv:2402.03300. TRL runs the steps, the optimizer and its checkpoints; under `accelerate
launch` it does so in several processes. Data, limits and the choice of a checkpoint are ours.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Final

import torch
import transformers as untyped

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.targets.chat import as_dicts
from buttress.training.adapter import lora_config
from buttress.training.examples import ExamplePair
from buttress.training.loop import steps_of
from buttress.training.merged_generation import merge_while_generating
from buttress.training.reward_model import HEAD, RewardModel, set_padding
from buttress.training.settings import TuneSettings
from buttress.training.validation import Validation

transformers: Any = untyped  # partly without types
Say = Callable[[str], None]
_STATE: Final = "trainer_state.json"  # the last file that a checkpoint gets


@dataclass(frozen=True, slots=True)
class TrlRun:
    """What a run through TRL gives: the model with its adapter, and figures of each step by name.

    ``loss`` is in nats for ``reward``. Of ``rloo`` and ``grpo``: ``reward`` (mean, the length
    penalty taken off), ``kl`` to the base model in nats a token, ``length`` of answers in tokens.
    """

    model: Any
    losses: list[float]
    curves: dict[str, list[float]] = field(default_factory=dict)


def train_reward_model(
    model: Any,
    tokenizer: Any,
    pairs: Sequence[ExamplePair],
    settings: TuneSettings,
    *,
    seed: int,
    folder: Path,
    validation: Validation | None,
    say: Say,
) -> TrlRun:
    """Train an adapter and the head of a reward model on pairs.

    Args:
        model: of ``reward_model.reward_base``.
        tokenizer: its tokenizer.
        pairs: of answers to the same prompt, the better one first.
        settings: the recipe.
        seed: of the adapter, the order and dropout.
        folder: where checkpoints are and go.
        validation: measures the model as it is trained, and may end training.
        say: told of progress.

    Raises:
        InputError: a layer is not there, or the loss is not finite.
    """
    with _quiet():
        import trl as typed
        from datasets import Dataset

    trl: Any = typed  # it exports by laziness, which type checkers don't see
    rows = Dataset.from_dict({
        "chosen_ids": [list(one.chosen.ids) for one in pairs],
        "rejected_ids": [list(one.rejected.ids) for one in pairs],
    })  # fmt: skip
    set_padding(model, tokenizer)
    with _quiet():
        arguments = trl.RewardConfig(
            **_arguments(model, settings, len(pairs), seed, folder),
            per_device_train_batch_size=settings.batch, max_length=None,
        )  # fmt: skip
        trainer = _made(
            trl.RewardTrainer, model=model, args=arguments, train_dataset=rows,
            processing_class=tokenizer, peft_config=lora_config(settings.lora, head=HEAD),
        )  # fmt: skip
        return _run(trainer, folder, validation, say)


def train_by_reinforcement(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[Message]],
    reward: RewardModel,
    settings: TuneSettings,
    *,
    seed: int,
    folder: Path,
    validation: Validation | None,
    say: Say,
) -> TrlRun:
    """Train an adapter by answers to prompts, drawn and scored at each step.

    Args:
        model: a causal language model of transformers.
        tokenizer: its tokenizer.
        prompts: conversations that each end with a question.
        reward: scores the answers.
        settings: the recipe; ``method`` is "rloo" or "grpo", ``batch`` counts prompts.
        seed: of the adapter, the order, the draws and dropout.
        folder: where checkpoints are and go.
        validation: measures the model as it is trained, and may end training.
        say: told of progress.

    Raises:
        InputError: a layer is not there, or the loss is not finite.
    """
    with _quiet():
        import trl as typed
        from datasets import Dataset

    trl: Any = typed
    chat = bool(tokenizer.chat_template)
    asked = [
        as_dicts(tuple(one)) if chat else "\n\n".join(m.content for m in one) for one in prompts
    ]
    numbers = list(range(len(prompts)))

    def score(
        completions: Sequence[Any], completion_ids: Sequence[Sequence[int]], number: Sequence[int],
        **more: Any,
    ) -> list[float | None]:  # fmt: skip
        del more
        texts = [one if isinstance(one, str) else one[-1]["content"] for one in completions]
        found = reward.scores([(prompts[at], text) for at, text in zip(number, texts, strict=True)])
        return [
            None if one is None else one - settings.length_penalty * len(ids)
            for one, ids in zip(found, completion_ids, strict=True)
        ]

    rloo = settings.method == "rloo"
    kind = trl.RLOOTrainer if rloo else trl.GRPOTrainer
    config = trl.RLOOConfig if rloo else trl.GRPOConfig
    with _quiet():
        arguments = config(
            **_arguments(model, settings, len(prompts), seed, folder),
            per_device_train_batch_size=settings.samples,
            gradient_accumulation_steps=settings.batch,
            num_generations=settings.samples,
            max_completion_length=settings.answer_tokens,
            temperature=settings.temperature,
            beta=settings.beta,
        )
        trainer = _made(
            kind, model=model, args=arguments, reward_funcs=score,
            train_dataset=Dataset.from_dict({"prompt": asked, "number": numbers}),
            processing_class=tokenizer, peft_config=lora_config(settings.lora),
        )  # fmt: skip
        if trainer.accelerator.num_processes == 1:
            merge_while_generating(trainer.model)
        return _run(trainer, folder, validation, say)


def _arguments(
    model: Any, settings: TuneSettings, size: int, seed: int, folder: Path
) -> dict[str, Any]:
    return {
        "output_dir": str(folder),
        "max_steps": steps_of(settings, size),
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.schedule,
        "warmup_steps": settings.warmup,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.clip,
        "seed": seed % 2**32,
        "save_steps": settings.checkpoint_every,
        "save_total_limit": 1,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "gradient_checkpointing": False,
        "dataloader_pin_memory": False,
        "bf16": model.dtype == torch.bfloat16,
        "use_cpu": model.device.type == "cpu",
    }


def _made(kind: Any, **options: Any) -> Any:
    try:
        return kind(**options)
    except ValueError as error:
        if "arget modules" not in str(error):
            raise
        raise InputError(
            " ".join(str(error).split())[:300], field="lora.modules",
            expected="names of linear layers, or all-linear",
        ) from None  # fmt: skip


def _run(trainer: Any, folder: Path, validation: Validation | None, say: Say) -> TrlRun:
    class Watch(transformers.TrainerCallback):  # type: ignore[misc]  # untyped base
        def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            del args, state, control
            if validation is not None:
                validation.begin(more["model"])

        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> Any:
            del args
            step = state.global_step
            last = step == state.max_steps
            if validation is not None and validation.after_step(more["model"], step, last=last):
                control.should_training_stop = True
            return control

        def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> Any:
            del args, control
            logs = more.get("logs") or {}
            if not math.isfinite(logs.get("loss", 0.0)):
                raise InputError(
                    f"the loss of step {state.global_step} is {logs['loss']}",
                    field="learning_rate", expected="a lower one",
                )  # fmt: skip
            if "loss" in logs and state.global_step % max(1, state.max_steps // 20) == 0:
                shown = [f"{name} {logs[name]:.4f}" for name in ("loss", "reward") if name in logs]
                say(f"step {state.global_step} of {state.max_steps}, {', '.join(shown)}")

    trainer.remove_callback(transformers.PrinterCallback)
    trainer.add_callback(Watch())
    saved = _last_checkpoint(folder)
    if saved is not None:
        say(f"going on after step {saved.name.rpartition('-')[2]}")
    trainer.train(resume_from_checkpoint=str(saved) if saved is not None else None)
    logs = [one for one in trainer.state.log_history if "loss" in one]
    names = {"reward": "reward", "kl": "kl", "completions/mean_length": "length"}
    curves = {
        ours: [float(one[theirs]) for one in logs if theirs in one]
        for theirs, ours in names.items()
    }
    return TrlRun(
        trainer.model.eval(),
        [float(one["loss"]) for one in logs],
        {name: values for name, values in curves.items() if values},
    )


def _last_checkpoint(folder: Path) -> Path | None:
    """The latest one that was written whole."""
    found = [path for path in folder.glob("checkpoint-*") if (path / _STATE).is_file()]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Progress is told by ``say``; standard output is for results."""
    import datasets

    before = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    bars = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        if bars:
            datasets.enable_progress_bars()
        os.environ.pop("TOKENIZERS_PARALLELISM")
        if before is not None:
            os.environ["TOKENIZERS_PARALLELISM"] = before
