"""Processes that examine files for ``parallel``, and what gives them work and gathers reports."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

from buttress.json_process import JsonProcess, ProcessEndedError
from buttress.probes.artifacts.one_file import AnyPath, FileReport, examine_file
from buttress.probes.artifacts.pickles.judge import OWN_LISTS, NameLists

_BATCH: Final = 32  # files
_BATCH_BYTES: Final = 32 << 20


def _batches(paths: Iterator[AnyPath]) -> Iterator[list[AnyPath]]:
    batch: list[AnyPath] = []
    size = 0
    for path in paths:
        batch.append(path)
        with suppress(OSError):
            size += os.lstat(path).st_size
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def shared(
    paths: Iterator[AnyPath], count: int, names: NameLists = OWN_LISTS
) -> Iterator[tuple[AnyPath, FileReport]]:
    """Each path with its report, in order, by ``count`` processes."""
    idle: SimpleQueue[Worker] = SimpleQueue()
    workers = [Worker(names) for _ in range(count)]
    for one in workers:
        idle.put(one)

    def work(batch: list[AnyPath]) -> list[FileReport]:
        worker = idle.get()
        try:
            return worker.examine(batch)
        finally:
            idle.put(worker)

    pending: deque[tuple[list[AnyPath], Future[list[FileReport]]]] = deque()
    pool = ThreadPoolExecutor(count)
    try:
        for batch in _batches(paths):
            pending.append((batch, pool.submit(work, batch)))
            if len(pending) > 2 * count:
                done, future = pending.popleft()
                yield from zip(done, future.result(), strict=True)
        for done, future in pending:
            yield from zip(done, future.result(), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
        for one in workers:
            one.stop()


class Worker:
    """One process, started when first needed, and anew after it died."""

    def __init__(self, names: NameLists = OWN_LISTS) -> None:
        self._names = names
        self._process: JsonProcess | None = None
        self._usable = True

    def examine(self, batch: list[AnyPath]) -> list[FileReport]:
        """Reports for a batch.

        Where the process dies, each file is tried alone; where none can be started, the work is
        done here.
        """
        if self._process is None:
            self._start()
        if self._process is None:
            return [examine_file(path, names=self._names) for path in batch]
        try:
            return self._ask(self._process, batch)
        except (ProcessEndedError, ValueError):
            self.stop()
        if len(batch) == 1:
            return [FileReport(error="the process that examined it ended")]
        return [report for path in batch for report in self.examine([path])]

    def _start(self) -> None:
        if not self._usable:
            return
        try:
            self._process = JsonProcess(("-m", "buttress.probes.artifacts.worker"))
            self._process.tell(json.dumps(self._names.added.plain()).encode())
            self._ask(self._process, [])  # shows that it can be imported there
        except (ProcessEndedError, ValueError):
            self._usable = False
            self.stop()

    def _ask(self, process: JsonProcess, batch: list[AnyPath]) -> list[FileReport]:
        told = json.loads(process.ask(json.dumps([os.path.abspath(p) for p in batch]).encode()))
        if not isinstance(told, list) or len(told) != len(batch):
            raise ValueError("not an answer to what was asked")
        return [FileReport.of_plain(one) for one in told]

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.stop()
            self._process = None
