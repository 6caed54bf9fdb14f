"""Tasks of our own shared out over worker processes, where a worker may die.

Results are unpickled here, so that no task may pass on what an untrusted file chose to be pickled:
workers that parse untrusted bytes speak JSON instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, TypeVar

StartMethod = Literal["fork", "spawn"]
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
_SHARED_ATTEMPTS: Final = 2
_LONE_ATTEMPTS: Final = 2


def usable_processors() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def let_waiting_threads_sleep() -> None:
    """Before PyTorch is loaded: its threads sleep while they wait for each other.

    They spin by default. Where processors are shared, a thread then burns what the one that it
    waits for needs: on two busy processors, answers cost four times the processor time. A choice in
    the environment (``OMP_WAIT_POLICY``, ``GOMP_SPINCOUNT``) stands.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class WorkerDiedError(Exception):
    """The process that carried out a task ended before it gave a result."""


def run_tasks(
    run: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    workers: int,
    *,
    start: StartMethod | None = None,
) -> list[_Result | WorkerDiedError]:
    """The result of each task, in their order.

    Tasks whose worker died run again: once more side by side, then each alone, twice at most, so
    that only those go without a result that end a process of their own each time.

    Args:
        run: carries out one task, in whatever process; a task may run again, so that it must leave
            the same result each time.
        tasks: what to carry out.
        workers: processes; with 1, or a single task, all is done in this one.
        start: how a process starts: ``fork`` is quick, ``spawn`` is safe where threads run. By
            default, what Python takes on this system.

    Raises:
        Exception: what a task raises.
    """
    if workers == 1 or len(tasks) < 2:
        return [run(task) for task in tasks]
    outcomes: dict[int, _Result | WorkerDiedError] = {}
    left = list(range(len(tasks)))
    for _ in range(_SHARED_ATTEMPTS):
        outcomes |= _attempt(run, {number: tasks[number] for number in left}, workers, start)
        left = [number for number in left if isinstance(outcomes[number], WorkerDiedError)]
        if not left:
            break
    for number in left:
        for _ in range(_LONE_ATTEMPTS):
            outcomes |= _attempt(run, {number: tasks[number]}, 1, start)
            if not isinstance(outcomes[number], WorkerDiedError):
                break
    return [outcomes[number] for number in range(len(tasks))]


def _attempt(
    run: Callable[[_Task], _Result],
    tasks: Mapping[int, _Task],
    workers: int,
    start: StartMethod | None,
) -> dict[int, _Result | WorkerDiedError]:
    # Here, as they are slow to import and seldom needed.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    died = WorkerDiedError("the process that carried it out ended")
    outcomes: dict[int, _Result | WorkerDiedError] = dict.fromkeys(tasks, died)
    context = multiprocessing.get_context(start)
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context) as pool:
        futures = {}
        try:
            for number, task in tasks.items():
                futures[number] = pool.submit(run, task)
        except BrokenProcessPool:  # those that are not given yet count as died
            pass
        for number, future in futures.items():
            try:
                outcomes[number] = future.result()
            except BrokenProcessPool:
                continue
    return outcomes
