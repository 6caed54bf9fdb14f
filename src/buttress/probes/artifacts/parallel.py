"""Files examined by all cores, reported in the order in which they were given.

Workers are processes of their own, started with ``python -P`` so that nothing in the folder under
examination can be imported, and spoken to in JSON. They start only once the work has gone on for a
second: most folders are done before that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from buttress.probes.artifacts.one_file import FileReport, examine_file

_ALONE: Final = 1.0  # seconds of work before workers start
_BATCH: Final = 32  # files
_BATCH_BYTES: Final = 32 << 20
_MAX_WORKERS: Final = 32  # each may take 200 MB


def reports(
    paths: Iterator[Path], *, workers: int | None = None, alone: float = _ALONE
) -> Iterator[tuple[Path, FileReport]]:
    """Each path with its report, in order. ``workers``: processes, by default one for each core."""
    count = min(workers or _cores(), _MAX_WORKERS)
    started = time.perf_counter()
    for path in paths:
        yield path, examine_file(path)
        if count > 1 and time.perf_counter() - started >= alone:
            break
    yield from _shared(paths, count)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _batches(paths: Iterator[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for path in paths:
        batch.append(path)
        with suppress(OSError):
            size += path.lstat().st_size
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _shared(paths: Iterator[Path], count: int) -> Iterator[tuple[Path, FileReport]]:
    crew: SimpleQueue[_Worker] = SimpleQueue()
    staff = [_Worker() for _ in range(count)]
    for one in staff:
        crew.put(one)

    def work(batch: list[Path]) -> list[FileReport]:
        worker = crew.get()
        try:
            return worker.examine(batch)
        finally:
            crew.put(worker)

    pending: deque[tuple[list[Path], Future[list[FileReport]]]] = deque()
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
        for one in staff:
            one.stop()


class _Worker:
    """One process, started when first needed, and anew after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._usable = bool(sys.executable)

    def examine(self, batch: list[Path]) -> list[FileReport]:
        """Reports for a batch.

        Where the process dies, each file is tried alone; where none can be started, the work is
        done here.
        """
        if self._process is None:
            self._start()
        if not self._usable:
            return [examine_file(path) for path in batch]
        try:
            return self._ask(batch)
        except (OSError, ValueError):
            self.stop()
        if len(batch) == 1:
            return [FileReport(error="the process that examined it ended")]
        return [report for path in batch for report in self.examine([path])]

    def _start(self) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "buttress.probes.artifacts.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            self._ask([])  # shows that it can be imported there
        except (OSError, ValueError):
            self._usable = False
            self.stop()

    def _ask(self, batch: list[Path]) -> list[FileReport]:
        if self._process is None or not (self._process.stdin and self._process.stdout):
            raise OSError("no process")
        question, answer = self._process.stdin, self._process.stdout
        question.write(json.dumps([os.path.abspath(path) for path in batch]).encode() + b"\n")
        question.flush()
        told = json.loads(answer.readline() or b"null")
        if not isinstance(told, list) or len(told) != len(batch):
            raise ValueError("the process ended")
        return [FileReport.of_plain(one) for one in told]

    def stop(self) -> None:
        """End the process."""
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._process = None
