"""Where the shards of a pass are worked on: processes of this machine, or Ray Data.

A shard's work writes files and returns nothing, and is the same wherever it is done and however
often: so what is kept does not depend on the runner, and a shard whose worker died is done again.
On a cluster the folders of the run must be the same files on all machines.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Protocol, TypeVar

import orjson

from buttress.errors import ButtressError, InputError, MissingExtraError
from buttress.processes import WorkerDiedError, run_tasks
from buttress.ray_cluster import last_line, start_cluster

_PARTS: Final = ("problem", "file", "line", "field", "expected")  # of an InputError
RunnerName = Literal["local", "ray"]
_Task = TypeVar("_Task")
_Task_contra = TypeVar("_Task_contra", contravariant=True)


class ShardRunner(AbstractContextManager["ShardRunner"], Protocol):
    """Carries out the work on shards, in any order."""

    def run(self, work: Callable[[_Task], None], tasks: Sequence[_Task]) -> None:
        """Do ``work`` for each task.

        Raises:
            ButtressError: workers died again and again.
        """
        ...


class LocalRunner(AbstractContextManager["LocalRunner"]):
    """Processes of this machine; with one worker, this process."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held."""

    def run(self, work: Callable[[_Task], None], tasks: Sequence[_Task]) -> None:
        """See ``ShardRunner``."""
        done = run_tasks(work, tasks, self._workers, start="spawn")
        if died := sum(isinstance(one, WorkerDiedError) for one in done):
            raise ButtressError(
                f"{died} of {len(done)} shards were not done: the process ended each time; see "
                "memory and system log; --resume goes on"
            )


class RayDataRunner(AbstractContextManager["RayDataRunner"]):
    """Ray Data, on the cluster at RAY_ADDRESS or one begun on this machine.

    Ray does the work of a worker that died again. What a stage raises ends the run, as it does
    in this process.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._begun = start_cluster(workers, asked_by="--runner")
        try:
            import ray.data  # noqa: F401
        except ImportError:
            raise MissingExtraError("--runner ray", "ray") from None
        logging.getLogger("ray.data").setLevel(logging.ERROR)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the cluster, if it was begun here."""
        import ray

        if self._begun:
            ray.shutdown()

    def run(self, work: Callable[[_Task], None], tasks: Sequence[_Task]) -> None:
        """See ``ShardRunner``."""
        if not tasks:
            return
        import ray

        untyped: Any = ray
        context = untyped.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        numbers = untyped.data.range(len(tasks), override_num_blocks=len(tasks))
        workers = untyped.data.TaskPoolStrategy(size=min(self._workers, len(tasks)))
        try:
            done = numbers.map_batches(
                _shard_work(work, tasks), batch_size=1, num_cpus=1, compute=workers
            ).take_all()
        except ray.exceptions.RayError as error:
            raise ButtressError(
                f"shards were not done ({last_line(error)}); --resume goes on"
            ) from None
        for row in done:
            if row["mistake"]:
                raise InputError(**orjson.loads(row["mistake"]))


def _shard_work(work: Callable[[Any], None], tasks: Sequence[Any]) -> Callable[[Any], Any]:
    """What Ray carries to a worker: the work of a batch of numbers of tasks."""
    folder = Path.cwd()

    def do(batch: dict[str, Any]) -> dict[str, Any]:
        if folder.is_dir():  # what the user named is named from there
            os.chdir(folder)
        mistakes = [""] * len(batch["id"])
        for place, number in enumerate(batch["id"].tolist()):
            try:
                work(tasks[number])
            except InputError as error:  # Ray would wrap it and lose its parts
                parts = {name: getattr(error, name) for name in _PARTS}
                mistakes[place] = orjson.dumps(parts).decode()
        return {"id": batch["id"], "mistake": mistakes}

    return do


_RUNNERS: Final[dict[RunnerName, Callable[[int], ShardRunner]]] = {
    "local": LocalRunner,
    "ray": RayDataRunner,
}


def open_runner(name: RunnerName, workers: int) -> ShardRunner:
    """The runner of that name with so many workers.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: no cluster can be joined or begun.
    """
    return _RUNNERS[name](workers)
