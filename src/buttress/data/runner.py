"""Runs tasks on this machine, in this process or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

from buttress.errors import ButtressError

_Task = TypeVar("_Task")
_ATTEMPTS: Final = 3


def run_tasks(run: Callable[[_Task], None], tasks: Sequence[_Task], workers: int) -> None:
    """Run all tasks; each may be run again, so it must leave the same result each time.

    A worker process that dies is replaced, and its tasks run again, twice at most.

    Raises:
        ButtressError: worker processes died each time.
        Exception: what a task raises.
    """
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            run(task)
        return
    left = list(tasks)
    context = multiprocessing.get_context("spawn")
    for _ in range(_ATTEMPTS):
        with ProcessPoolExecutor(min(workers, len(left)), mp_context=context) as pool:
            futures = [(task, pool.submit(run, task)) for task in left]
            left = []
            for task, future in futures:
                try:
                    future.result()
                except BrokenProcessPool:
                    left.append(task)
        if not left:
            return
    raise ButtressError(f"worker processes died {_ATTEMPTS} times; see memory and system log")
