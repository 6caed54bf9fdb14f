"""Training with differential privacy: DP-SGD (Abadi et al. 2016) by Opacus.

Each step takes each record on its own with the sample rate (Poisson sampling), clips each record's
gradient and adds Gaussian noise. ε is about adding or removing one record, by the accountant of
privacy loss random variables (Gopi et al. 2021). Sampling and noise come from a pseudo-random
generator whose seed is drawn by the operating system and not kept after the run.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from buttress.errors import InputError, MissingExtraError
from buttress.training.answer_logits import log_probabilities, parts
from buttress.training.checkpoints import (
    Checkpoint,
    CheckpointSchedule,
    last_checkpoint,
    save_checkpoint,
)
from buttress.training.examples import TrainingExample
from buttress.training.loop import learning_rate, load_state, state_of, steps_of
from buttress.training.precision import FrozenProducts
from buttress.training.settings import TuneSettings

ACCOUNTANT: Final = "prv"
_SEED: Final = "seed"
_NOISE: Final = "noise"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PrivacySpent:
    """What was spent, at ``delta``; ``target`` is the ε that was asked for."""

    epsilon: float
    delta: float
    target: float
    noise_multiplier: float
    sample_rate: float
    clip: float
    steps: int


def noise_for(epsilon: float, delta: float, sample_rate: float, steps: int) -> float:
    """A noise multiplier with which ``steps`` steps spend at most ε at δ, and at least 98 % of it.

    Raises:
        InputError: no noise is enough.
    """
    from opacus.accountants.utils import get_noise_multiplier

    try:
        with _quiet():  # enough by the looser accountant of Rényi divergences, which is quick
            high = float(
                get_noise_multiplier(
                    target_epsilon=epsilon, target_delta=delta, sample_rate=sample_rate,
                    steps=steps, accountant="rdp",
                )
            )  # fmt: skip
    except ValueError as error:
        raise InputError(
            f"can't be reached: {error}", field="--epsilon", expected="a larger one, or fewer steps"
        ) from None
    low = high / 2
    while epsilon_of(low, delta, sample_rate, steps) <= epsilon:
        high, low = low, low / 2
    while high / low > 1.002:
        middle = (low * high) ** 0.5
        spent = epsilon_of(middle, delta, sample_rate, steps)
        if spent <= epsilon:
            high = middle
            if spent >= 0.98 * epsilon:
                break
        else:
            low = middle
    return high


def epsilon_of(noise: float, delta: float, sample_rate: float, steps: int) -> float:
    """ε that ``steps`` steps spend at δ: an upper bound."""
    from opacus.accountants import create_accountant

    accountant = create_accountant(mechanism=ACCOUNTANT)
    accountant.history = [(noise, sample_rate, steps)]
    with _quiet():
        return float(accountant.get_epsilon(delta=delta))


def train_privately(
    model: Any,
    examples: Sequence[TrainingExample],
    settings: TuneSettings,
    epsilon: float,
    delta: float,
    *,
    folder: Path | None = None,
    say: Say = lambda _: None,
) -> PrivacySpent:
    """Train what requires a gradient; one example is one record.

    The loss is neither told nor kept: it would not be covered by ε.

    Raises:
        InputError: ε can't be reached, a value is not finite, or a checkpoint is not usable.
        MissingExtraError: opacus is not installed.
    """
    try:
        from opacus import GradSampleModule
        from opacus.optimizers import DPOptimizer
    except ImportError:
        raise MissingExtraError("training with differential privacy", "tune") from None
    rate = min(1.0, settings.batch / len(examples))
    steps = steps_of(settings, len(examples))
    saved = last_checkpoint(folder) if folder is not None else None
    noise = saved.extra[_NOISE] if saved else noise_for(epsilon, delta, rate, steps)
    say(f"noise multiplier {noise:.4g} for ε = {epsilon:g} at δ = {delta:g}, {steps} steps")
    products = FrozenProducts(model, settings.precision)
    with _quiet():
        wrapped: Any = GradSampleModule(model, loss_reduction="sum", strict=False)
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    inner = torch.optim.AdamW(
        trained.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    optimizer: Any = DPOptimizer(
        inner, noise_multiplier=noise, max_grad_norm=settings.clip,
        expected_batch_size=rate * len(examples),
    )  # fmt: skip
    done, seed = 0, secrets.randbits(62)
    if saved is not None:
        load_state(saved.tensors, trained, inner)
        done, seed = saved.step, int(saved.extra[_SEED])
        say(f"going on after step {done}")
    wrapped.train()
    schedule = CheckpointSchedule(settings.checkpoint_every, steps)
    for step in range(done, steps):
        torch.manual_seed((seed + step) % 2**63)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(settings, step, steps)
        chosen = torch.nonzero(torch.rand(len(examples)) < rate)[:, 0].tolist()
        with products.used():
            _step(wrapped, optimizer, list(trained.values()), examples, chosen)
        if not all(bool(torch.isfinite(one).all()) for one in trained.values()):
            raise InputError(
                f"weights are not finite after step {step + 1}", field="learning_rate",
                expected="a lower one",
            )  # fmt: skip
        if folder is not None and schedule.due(step + 1):
            with schedule.writing():
                extra = {_SEED: seed, _NOISE: noise}
                save_checkpoint(folder, Checkpoint(step + 1, state_of(trained, inner), [], extra))
        if step + 1 == steps or (step + 1) % max(1, steps // 20) == 0:
            say(f"step {step + 1} of {steps}")
    wrapped.remove_hooks()
    model.eval()
    return PrivacySpent(
        epsilon_of(noise, delta, rate, steps), delta, epsilon, noise, rate, settings.clip, steps
    )


def _step(
    wrapped: Any,
    optimizer: Any,
    trained: Sequence[Tensor],
    examples: Sequence[TrainingExample],
    chosen: Sequence[int],
) -> None:
    """Clip each record's gradient, add them up over parts of the batch, add noise, step."""
    pieces = list(parts(wrapped, examples, chosen))
    if not pieces:  # nothing was drawn: the step is noise alone
        for one in trained:
            one.grad_sample = torch.zeros(0, *one.shape, device=one.device)  # type: ignore[attr-defined]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return
    for place, part in enumerate(pieces):
        picked = [examples[index] for index in part]
        learned = torch.tensor([float(one.learned) for one in picked])
        with _quiet():
            sums = log_probabilities(wrapped, picked)
            torch.autograd.backward([(-sums / learned.to(sums)).sum()])
        optimizer.signal_skip_step(place < len(pieces) - 1)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings: of rounding in the accountant, of buffers, of layers without gradients."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
