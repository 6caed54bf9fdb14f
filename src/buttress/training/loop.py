"""The training loop of adapters: what a step draws depends on the seed and its number alone.

So a run that goes on from a checkpoint gives the same weights as one that was never stopped, on
the same machine with the same number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.training.checkpoints import (
    Checkpoint,
    CheckpointSchedule,
    last_checkpoint,
    save_checkpoint,
)
from buttress.training.precision import FrozenProducts
from buttress.training.settings import TuneSettings
from buttress.training.terms import Term

if TYPE_CHECKING:
    from buttress.training.validation import Validation

Say = Callable[[str], None]


def steps_of(settings: TuneSettings, size: int) -> int:
    """Steps of a run over ``size`` examples."""
    return settings.steps or max(1, math.ceil(settings.epochs * size / settings.batch))


def learning_rate(settings: TuneSettings, step: int, steps: int) -> float:
    """Learning rate of a step, counted from 0."""
    rising = math.ceil(settings.warmup * steps)
    if step < rising:
        return settings.learning_rate * (step + 1) / rising
    share = (step - rising) / max(1, steps - rising)
    falling = {"constant": 1.0, "linear": 1 - share, "cosine": (1 + math.cos(math.pi * share)) / 2}
    return settings.learning_rate * falling[settings.schedule]


def drawn(size: int, batch: int, step: int, seed: int) -> list[int]:
    """Indices of a step: each epoch takes all in a new order, and steps go on across epochs."""
    first = step * batch
    chosen: list[int] = []
    for epoch in range(first // size, (first + batch - 1) // size + 1):
        order = _order(size, epoch, seed)
        start, end = max(first, epoch * size), min(first + batch, (epoch + 1) * size)
        chosen += order[start - epoch * size : end - epoch * size]
    return chosen


def ever_drawn(size: int, batch: int, steps: int, seed: int) -> list[int]:
    """Indices that any of the steps draws, in rising order."""
    if steps * batch >= size:
        return list(range(size))
    return sorted({index for step in range(steps) for index in drawn(size, batch, step, seed)})


def _order(size: int, epoch: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    return [int(one) for one in torch.randperm(size, generator=generator)]


def train(
    model: Any,
    terms: Sequence[Term],
    settings: TuneSettings,
    *,
    seed: int,
    folder: Path | None = None,
    validation: Validation | None = None,
    say: Say = lambda _: None,
) -> list[float]:
    """Train what requires a gradient; the loss of each step, in nats.

    Args:
        model: a model with an adapter.
        terms: of the objective; the first decides the number of steps.
        settings: the recipe.
        seed: of the draws and of dropout.
        folder: where checkpoints are and go; None for none.
        validation: measures the model as it is trained, and may end training.
        say: told of progress.

    Raises:
        InputError: the loss is not finite, or a checkpoint is not usable.
    """
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    optimizer = torch.optim.AdamW(
        trained.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    products = FrozenProducts(model, settings.precision)
    steps = steps_of(settings, terms[0].size)
    losses: list[float] = []
    saved = last_checkpoint(folder) if folder is not None else None
    if saved is not None:
        load_state(saved.tensors, trained, optimizer)
        losses = saved.losses
        say(f"going on after step {saved.step}")
    if validation is not None:
        validation.begin(model)
    schedule = CheckpointSchedule(settings.checkpoint_every, steps)
    for step in range(len(losses), steps):
        torch.manual_seed((seed * 1_000_003 + step) % 2**63)
        _set_dropout(model, settings)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(settings, step, steps)
        with products.used():
            loss = _backward(model, terms, settings.batch, step, seed)
        if not math.isfinite(loss):
            raise InputError(
                f"the loss of step {step + 1} is {loss}", field="learning_rate",
                expected="a lower one",
            )  # fmt: skip
        torch.nn.utils.clip_grad_norm_(trained.values(), settings.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss)
        done = step + 1
        if folder is not None and schedule.due(done):
            with schedule.writing():
                state = state_of(trained, optimizer)
                save_checkpoint(folder, Checkpoint(done, state, losses, {}))
        if done == steps or done % max(1, steps // 20) == 0:
            say(f"step {done} of {steps}, loss {loss:.4f}")
        if validation is not None and validation.after_step(model, done, last=done == steps):
            break
    model.eval()
    return losses


def _set_dropout(model: Any, settings: TuneSettings) -> None:
    """Dropout as in TRL: all of it in ``sft``, of the adapter alone beside a reference model.

    The base model's own dropout (GPT-2, OPT) would make the policy differ from its reference by
    noise alone.
    """
    if settings.method == "sft":
        model.train()
        return
    model.eval()
    for name, module in model.named_modules():
        if name.endswith(".lora_dropout"):
            module.train()


def _backward(model: Any, terms: Sequence[Term], batch: int, step: int, seed: int) -> float:
    """Gradients of all terms at a step, and their loss."""
    whole = 0.0
    for place, term in enumerate(terms):
        if not term.scale:
            continue
        chosen = drawn(term.size, batch, step, seed + 7919 * place)
        weight = term.weight(chosen)
        for part in term.parts(model, chosen):
            loss = term.scale * term.loss(model, part) / weight
            torch.autograd.backward([loss])
            whole += float(loss.detach())
    return whole


def state_of(trained: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Parameters and the optimizer's moments by name."""
    tensors = {f"parameter.{name}": one for name, one in trained.items()}
    for name, one in trained.items():
        for key, value in optimizer.state[one].items():
            tensors[f"{key}.{name}"] = torch.as_tensor(value)
    return tensors


def load_state(
    tensors: dict[str, Tensor], trained: dict[str, Tensor], optimizer: torch.optim.Optimizer
) -> None:
    """Put back what ``state_of`` gave.

    Raises:
        InputError: the tensors are of another model.
    """
    names = {name.removeprefix("parameter.") for name in tensors if name.startswith("parameter.")}
    if names != set(trained):
        raise InputError("a checkpoint of another model", field="--resume")
    with torch.no_grad():
        for name, one in trained.items():
            one.copy_(tensors[f"parameter.{name}"])
    for key_and_name, value in tensors.items():
        key, _, name = key_and_name.partition(".")
        if key != "parameter":
            one = trained[name]
            # The count of steps stays on the CPU, as the optimizer made it.
            optimizer.state[one][key] = value if key == "step" else value.to(one.device)
