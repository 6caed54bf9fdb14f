"""Tasks over worker processes: results in order, and what becomes of tasks whose worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from buttress.processes import (
    StartMethod,
    WorkerDiedError,
    let_waiting_threads_sleep,
    run_tasks,
    usable_processors,
)


def square(number: int) -> int:
    return number * number


def end_process(deadly: frozenset[int], number: int) -> int:
    if number in deadly:
        os._exit(9)
    return number


def end_process_once(folder: Path, number: int) -> int:
    mark = folder / str(number)
    if number % 3 == 0 and not mark.exists():
        mark.touch()
        os._exit(9)
    return number


def refuse(number: int) -> int:
    raise ValueError(f"not {number}")


@pytest.mark.parametrize("start", [None, "fork", "spawn"])
@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_tasks(workers: int, start: str | None) -> None:
    method = cast("StartMethod | None", start)
    assert run_tasks(square, range(7), workers, start=method) == [n * n for n in range(7)]
    assert run_tasks(square, [], workers, start=method) == []


def test_only_a_task_that_ends_its_process_goes_without_a_result() -> None:
    outcomes = run_tasks(partial(end_process, frozenset({1, 4})), range(6), 2, start="fork")
    died = [number for number, one in enumerate(outcomes) if isinstance(one, WorkerDiedError)]
    assert died == [1, 4]
    assert [one for one in outcomes if isinstance(one, int)] == [0, 2, 3, 5]


def test_a_worker_that_dies_by_accident_costs_no_result(tmp_path: Path) -> None:
    assert run_tasks(partial(end_process_once, tmp_path), range(9), 2, start="fork") == list(
        range(9)
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_raises_is_raised(workers: int) -> None:
    with pytest.raises(ValueError, match="not 0"):
        run_tasks(refuse, range(3), workers, start="fork")


def give_what_none_can_pass_on(number: int) -> object:
    return lambda: number


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_result_that_can_not_be_passed_on_is_told(start: StartMethod) -> None:
    with pytest.raises(TypeError, match="can't be passed on"):
        run_tasks(give_what_none_can_pass_on, range(3), 2, start=start)


def compute_on_and_on(folder: Path, number: int) -> None:
    (folder / f"{number}.part").write_text(str(os.getpid()))
    (folder / f"{number}.part").rename(folder / str(number))
    end = time.monotonic() + 120
    while time.monotonic() < end:
        pass


def alive(process: int) -> bool:
    """Whether it runs; one that nobody has waited for yet does not."""
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()[:1] not in {"", "Z"}


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 143),
        (signal.SIGINT, 130),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_workers_end_with_the_process_that_gives_them_tasks(
    tmp_path: Path, number: signal.Signals, code: int, start: str
) -> None:
    script = (
        "import functools, pathlib, sys\n"
        "from buttress.cli.main import terminable\n"
        "from buttress.errors import TerminatedError\n"
        "from buttress.processes import run_tasks\n"
        "from tests.test_processes import compute_on_and_on\n"
        "if __name__ == '__main__':\n"
        "    work = functools.partial(compute_on_and_on, pathlib.Path(sys.argv[1]))\n"
        "    try:\n"
        "        with terminable():\n"
        "            run_tasks(work, range(5), 3, start=sys.argv[2])\n"
        "    except KeyboardInterrupt as error:\n"
        "        sys.exit(143 if isinstance(error, TerminatedError) else 130)\n"
    )
    main = tmp_path / "main.py"
    main.write_text(script)
    process = subprocess.Popen(
        [sys.executable, str(main), str(tmp_path), start],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        # A run in the background of a shell ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    began = [tmp_path / str(one) for one in range(3)]
    deadline = time.monotonic() + 60
    while not all(one.exists() for one in began) and time.monotonic() < deadline:
        time.sleep(0.01)
    workers = [int(one.read_text()) for one in began]
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, workers))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no such call on this system")
def test_processors_that_others_have_are_not_counted() -> None:
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})
    try:
        assert usable_processors() == 1
    finally:
        os.sched_setaffinity(0, mine)
    assert usable_processors() == len(mine)


def test_waiting_threads_sleep_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
