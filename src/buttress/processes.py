"""Tasks of our own shared out over worker processes, where a worker may die.

Results are unpickled here, so that no task may pass on what an untrusted file chose to be pickled:
workers that parse untrusted bytes speak JSON instead.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import DefaultContext
    from multiprocessing.process import BaseProcess

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
    that only those go without a result that end a process of their own each time. Workers end
    with the call, however it ends, and with this process, also where it is killed.

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
    from multiprocessing.connection import wait

    outcomes: dict[int, _Result | WorkerDiedError] = {}
    failures: dict[int, BaseException] = {}
    context = cast("DefaultContext", multiprocessing.get_context(start))
    waiting = iter(tasks.items())
    busy: dict[Connection, int] = {}
    pool: dict[Connection, BaseProcess] = {}
    try:
        # Each worker has a pipe of its own: one that dies takes no lock along that others need.
        for _ in range(min(workers, len(tasks))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(run, theirs), daemon=True)
            process.start()
            pool[ours] = process
            theirs.close()
        for ours in pool:
            _give(ours, waiting, busy)
        while busy:
            for ready in wait(list(busy)):
                ours = cast("Connection", ready)
                number = busy.pop(ours)
                try:
                    done, result = ours.recv()
                except (EOFError, OSError):
                    outcomes[number] = WorkerDiedError("the process that carried it out ended")
                    continue
                if done:
                    outcomes[number] = result
                else:
                    failures[number] = result
                if not failures:
                    _give(ours, waiting, busy)
            if failures and all(number > min(failures) for number in busy.values()):
                raise failures[min(failures)]
    finally:
        for ours, worker in pool.items():
            worker.kill()  # they hold nothing that would need to be tidied
            worker.join()
            ours.close()
    died = WorkerDiedError("the process that should carry it out ended")
    return dict.fromkeys(tasks, died) | outcomes


def _give(
    ours: Connection, waiting: Iterator[tuple[int, _Task]], busy: dict[Connection, int]
) -> None:
    """The next task, if one is left, to the worker at the other end."""
    for number, task in waiting:
        busy[ours] = number
        with suppress(OSError):  # it ended: reading tells it
            ours.send(task)
        return


def _work(run: Callable[[_Task], _Result], theirs: Connection) -> None:
    """In a worker: a task after the other, as long as the process that gives them lives."""
    # Ctrl-C reaches all processes of a terminal, and the one that gives tasks ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            task = theirs.recv()
            try:
                answer: tuple[bool, object] = True, run(task)
            except BaseException as error:
                answer = False, error
            try:
                theirs.send(answer)
            except (pickle.PicklingError, TypeError, AttributeError) as error:
                theirs.send((False, TypeError(f"a result can't be passed on: {error}")))


def _end_with_parent() -> None:
    from multiprocessing import parent_process

    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
