"""Micro-batches: questions that wait are answered together, those of like length first.

A batch is as slow as its longest question, so each is a run of neighbours in the order of length
that includes the question which has waited longest; so none waits for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from buttress.targets.base import Answer, Request, Sampling, TargetError

Generate = Callable[[Sequence[Request]], Sequence[Answer | TargetError]]
GATHER_S: Final = 0.005  # wait for company when idle


class OutOfMemoryError(Exception):
    """The batch doesn't fit the memory."""


@dataclass(slots=True)
class _Waiting:
    request: Request
    length: int = 0
    future: Future[Answer] = field(default_factory=Future)


class BatchQueue:
    """Runs ``generate`` in one thread on batches of at most ``batch`` requests.

    ``generate`` takes requests with equal sampling and returns an answer or an error for each, in
    order; ``length`` gives a request's length in tokens.
    """

    def __init__(
        self,
        generate: Generate,
        length: Callable[[Request], int],
        batch: int,
    ) -> None:
        self._generate = generate
        self._length = length
        self._batch = batch
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)
        self._thread.start()

    async def ask(self, request: Request) -> Answer:
        """The answer, when its batch is done.

        Raises:
            TargetError: as ``generate`` says.
        """
        waiting = _Waiting(request)
        with self._changed:
            if self._closed:
                raise TargetError("the model is closed", retry=False)
            self._waiting.append(waiting)
            self._changed.notify()
        return await asyncio.wrap_future(waiting.future)

    def close(self) -> None:
        """End the thread after the batch in the making; what waits gets an error."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if len(self._waiting) < self._batch and not self._closed:
                    self._changed.wait_for(
                        lambda: self._closed or len(self._waiting) >= self._batch, GATHER_S
                    )
                if self._closed:
                    rest, self._waiting = self._waiting, []
                    break
                batch = self._take()
            self._run(batch)
        for one in rest:
            _fail(one, TargetError("the model is closed", retry=False))

    def _take(self) -> list[_Waiting]:
        """Take a batch out of those waiting; the lock is held."""
        for one in self._waiting:
            if not one.length:
                one.length = self._length(one.request)
        oldest = self._waiting[0]
        sampling = _group(oldest.request.sampling)
        alike = [one for one in self._waiting if _group(one.request.sampling) == sampling]
        alike.sort(key=lambda one: one.length)
        place = next(i for i, one in enumerate(alike) if one is oldest)
        # Of all runs with the oldest in them, the one whose lengths differ least.
        size = min(self._batch, len(alike))
        starts = range(max(0, place - size + 1), min(place, len(alike) - size) + 1)
        start = min(starts, key=lambda i: alike[i + size - 1].length - alike[i].length)
        batch = alike[start : start + size]
        taken = {id(one) for one in batch}
        self._waiting = [one for one in self._waiting if id(one) not in taken]
        # Those given up meanwhile, such as after a timeout, need no answer.
        return [one for one in batch if one.future.set_running_or_notify_cancel()]

    def _run(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        try:
            made = self._generate([one.request for one in batch])
        except OutOfMemoryError:
            if len(batch) == 1:
                _fail(batch[0], TargetError("not enough memory for this question", retry=False))
                return
            half = len(batch) // 2
            self._batch = half
            self._run(batch[:half])
            self._run(batch[half:])
            return
        except Exception as error:
            for one in batch:
                _fail(one, TargetError(f"the model failed: {error}", retry=False))
            return
        for one, answer in zip(batch, made, strict=True):
            if isinstance(answer, TargetError):
                _fail(one, answer)
            else:
                one.future.set_result(answer)


def _group(sampling: Sampling) -> tuple[int, bool]:
    """What must be equal in a batch; temperature and seed may differ from row to row."""
    return sampling.max_tokens, sampling.temperature > 0


def _fail(one: _Waiting, error: TargetError) -> None:
    if not one.future.done():
        one.future.set_exception(error)
