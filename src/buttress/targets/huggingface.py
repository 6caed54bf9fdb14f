"""A Hugging Face model folder in this process, through transformers, batched."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from buttress.errors import InputError, MissingExtraError
from buttress.processes import let_waiting_threads_sleep
from buttress.targets.adapters import base_of
from buttress.targets.base import Answer, Request, Target, TargetError
from buttress.targets.batching import BatchQueue, Generate
from buttress.targets.fingerprint import files_digest
from buttress.targets.settings import existing, unknown, whole

if TYPE_CHECKING:
    from buttress.targets.generation import Generator

Surround = Callable[["Generator"], AbstractContextManager[None]]
SETTINGS: Final = ("weights", "batch", "device", "threads", "context")
# What decides the answers: weights, tokenizer, chat template and generation defaults.
PINNED: Final = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")


@runtime_checkable
class Surroundable(Target, Protocol):
    """A target that computes inside a context of its caller's."""

    def surround(self, context: Surround) -> None:
        """Compute all answers inside ``context``; before the first question."""
        ...


def create(
    *,
    weights: str | Path,
    batch: int = 32,
    device: str = "auto",
    threads: int | None = None,
    context: int | None = None,
    **others: Any,
) -> HuggingFaceTarget:
    """The causal language model in the folder ``weights``.

    Only safetensors weights are read and no code from the folder is run.

    Args:
        weights: folder with config.json, tokenizer and ``*.safetensors``, or with an adapter of
            PEFT, which names its base model.
        batch: answers generated at once, at most; halved where memory doesn't suffice.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1" …
        threads: processor threads; None for PyTorch's choice.
        context: tokens of question and answer at most; None for what the model was made for.

    Raises:
        InputError: not such a folder, or a setting is not usable.
        MissingExtraError: transformers or torch is not installed.
    """
    unknown(others, SETTINGS)
    folder = existing(weights, "weights", folder=True)
    if base_of(folder) is None and not (folder / "config.json").is_file():
        raise InputError("no config.json", file=str(folder), field="weights")
    if not any(folder.glob("*.safetensors")):
        pickled = sorted({*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")})
        problem = "no weights"
        if pickled:
            problem = f"pickled weights ({pickled[0].name}) can run code when loaded: not used"
        raise InputError(problem, file=str(folder), field="weights", expected="*.safetensors")
    if not isinstance(device, str) or not device:
        raise InputError(f"{device!r} is not usable", field="device", expected="auto, cpu or cuda")
    let_waiting_threads_sleep()
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError:
        raise MissingExtraError("a local transformers model", "local") from None
    if threads is not None:
        torch.set_num_threads(whole(threads, "threads", 1, 1024))
    return HuggingFaceTarget(
        folder,
        batch=whole(batch, "batch", 1, 4096),
        device=device,
        context=None if context is None else whole(context, "context", 64, 2**21),
    )


def _digest(folder: Path) -> str:
    """Of what decides the answers; of an adapter and its base model together."""
    digest = files_digest({path for kind in PINNED for path in folder.glob(kind)})
    base = base_of(folder)
    if base is None:
        return digest
    return hashlib.sha256(f"{_digest(base)}\n{digest}".encode()).hexdigest()


class HuggingFaceTarget:
    """A model in this process, loaded at the first question, working in a thread of its own."""

    needs_no_timeout = True

    def __init__(self, folder: Path, *, batch: int, device: str, context: int | None) -> None:
        self._folder = folder
        self._batch = batch
        self._device = device
        self._context = context
        self._digest = _digest(folder)
        self._loading = asyncio.Lock()
        self._queue: BatchQueue | None = None
        self._change: Callable[[Generator], Generate] | None = None
        self._surround: Surround | None = None

    @property
    def name(self) -> str:
        """Folder name."""
        return self._folder.resolve().name

    @property
    def identity(self) -> str:
        """Digest over weights, configuration and tokenizer."""
        return f"huggingface:sha256:{self._digest}"

    @property
    def stable(self) -> bool:
        """True: the digest pins the model."""
        return True

    @property
    def concurrency(self) -> int:
        """Two batches: one in the making, one from which the next is chosen."""
        return 2 * self._batch

    def _load(self) -> BatchQueue:
        from buttress.targets.generation import Generator

        generator = Generator(self._folder, self._device, self._context)
        answers = generator.generate if self._change is None else self._change(generator)
        if (context := self._surround) is not None:
            answers = _inside(context, generator, answers)
        return BatchQueue(answers, generator.length, self._batch)

    def change_answers(self, change: Callable[[Generator], Generate]) -> None:
        """Let ``change`` make what answers batches; before the first question."""
        self._change = change

    def surround(self, context: Surround) -> None:
        """Compute all answers inside ``context``; before the first question."""
        self._surround = context

    async def answer(self, request: Request) -> Answer:
        """Generate one answer.

        Raises:
            TargetError: the question doesn't fit the context, or the runtime failed.
            InputError: the folder is no usable model.
        """
        if self._queue is None:
            async with self._loading:
                if self._queue is None:
                    self._queue = await asyncio.to_thread(self._load)
        start = time.perf_counter()
        made = await self._queue.ask(request)
        return replace(made, latency_s=time.perf_counter() - start)

    async def aclose(self) -> None:
        """End the thread and free the memory."""
        if self._queue is not None:
            queue, self._queue = self._queue, None
            await asyncio.to_thread(queue.close)


def _inside(context: Surround, generator: Generator, answers: Generate) -> Generate:
    def surrounded(requests: Sequence[Request]) -> Sequence[Answer | TargetError]:
        with context(generator):
            return answers(requests)

    return surrounded
