"""Checkpoints of a run: whole or not there, so that a kill at any moment loses steps alone."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from safetensors.torch import load_file, save_file

from buttress.errors import InputError

FOLDER: Final = "checkpoints"
_STATE: Final = "state.safetensors"
_PROGRESS: Final = "progress.json"
_WAIT_S: Final = 60.0
_SHARE: Final = 20


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """After ``step`` steps: tensors by name, losses of each step, and what else is to be kept."""

    step: int
    tensors: dict[str, Any]
    losses: list[float]
    extra: dict[str, Any]


class CheckpointSchedule:
    """When to write one: after so many steps, and where steps are slow after a minute.

    Writing takes no more than a twentieth of the time then, however large the state is.
    """

    def __init__(self, every: int, steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._steps, self._clock = every, steps, clock
        self._written, self._wait = clock(), _WAIT_S

    def due(self, done: int) -> bool:
        """Whether to write one after step ``done``; never after the last."""
        if done >= self._steps:
            return False
        return done % self._every == 0 or self._clock() - self._written >= self._wait

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around the writing, which sets how long to wait for the next."""
        began = self._clock()
        yield
        self._written = self._clock()
        self._wait = max(_WAIT_S, _SHARE * (self._written - began))


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write it under ``folder``; older ones are removed when it is whole.

    Raises:
        InputError: it can't be written.
    """
    part = folder / f".step-{checkpoint.step}.part"
    whole = folder / f"step-{checkpoint.step}"
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(
            {name: one.detach().cpu().contiguous() for name, one in checkpoint.tensors.items()},
            part / _STATE,
        )
        progress = {
            "step": checkpoint.step, "losses": checkpoint.losses, "extra": checkpoint.extra,
        }  # fmt: skip
        (part / _PROGRESS).write_bytes(orjson.dumps(progress))
        for name in (_STATE, _PROGRESS):
            with (part / name).open("rb") as file:
                os.fsync(file.fileno())
        shutil.rmtree(whole, ignore_errors=True)
        part.rename(whole)
    except OSError as error:
        raise InputError(error.strerror or str(error), file=str(folder), field="--out") from None
    for step, other in _found(folder):
        if step < checkpoint.step:
            shutil.rmtree(other, ignore_errors=True)


def last_checkpoint(folder: Path) -> Checkpoint | None:
    """The latest one; None where there is none.

    Raises:
        InputError: it is there and can't be read.
    """
    found = sorted(_found(folder))
    if not found:
        return None
    step, path = found[-1]
    try:
        progress = orjson.loads((path / _PROGRESS).read_bytes())
        return Checkpoint(
            step, load_file(path / _STATE), list(progress["losses"]), dict(progress["extra"])
        )
    except Exception as error:  # safetensors has errors of its own kinds
        raise InputError(
            f"not a checkpoint: {error}", file=str(path), field="--resume",
            expected="the folder of a run that was stopped",
        ) from None  # fmt: skip


def _found(folder: Path) -> list[tuple[int, Path]]:
    found = []
    for path in folder.glob("step-*"):
        number = path.name.removeprefix("step-")
        if number.isdigit() and path.is_dir():
            found.append((int(number), path))
    return found
