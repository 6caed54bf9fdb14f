"""When a checkpoint is due: by steps, and by time where steps are slow."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from buttress.training.checkpoints import CheckpointSchedule


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_by_steps_where_they_are_quick() -> None:
    schedule = CheckpointSchedule(4, 10, Clock())
    assert [done for done in range(1, 11) if schedule.due(done)] == [4, 8]


def test_by_time_where_they_are_slow_and_writing_takes_a_twentieth() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(100, 99, clock)
    due = []
    for done in range(1, 12):
        clock.now += 25.0
        if schedule.due(done):
            due.append(done)
            with schedule.writing():
                clock.now += 6.0
    assert due == [3, 8]  # 75 s after the beginning, then 125 s: at least 20 times 6 s


def test_none_after_the_last_step() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(5, 5, clock)
    clock.now = 1000.0
    assert not schedule.due(5)
