"""Tasks over worker processes: results in order, and what becomes of tasks whose worker dies."""

from __future__ import annotations

import os
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
