"""What is said of a run that waits."""

from __future__ import annotations

from buttress.targets.waits import FIRST_TOLD_S, Waits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def waits() -> tuple[Waits, Clock, list[str]]:
    clock, told = Clock(), list[str]()
    return Waits(told.append, clock), clock, told


def test_whom_it_waits_for_is_told_once_and_again_after_twice_as_long() -> None:
    watch, clock, told = waits()
    for _ in range(3):
        watch.begin("judge", 180.0)
    times = []
    for second in range(200):
        clock.now = float(second)
        before = len(told)
        watch.look()
        times += [second] * (len(told) - before)
    assert times == [30, 60, 120]
    assert told[0] == (
        "waiting for judge: no answer for 30 s, 3 questions under way; each has 180 s (timeout_s)"
    )


def test_who_answers_now_and_then_is_not_told() -> None:
    watch, clock, told = waits()
    watch.begin("bot", None)
    for second in range(0, 500, 20):
        clock.now = float(second)
        watch.begin("bot", None)
        watch.end("bot", answered=True)
        watch.look()
    assert told == []
    watch.end("bot", answered=False)
    clock.now = 1000.0
    watch.look()
    assert told == [], "nobody is waited for"


def test_a_question_that_is_asked_again_is_waited_for_from_its_beginning() -> None:
    watch, clock, told = waits()
    for second in (0, 20, 40):
        clock.now = float(second)
        watch.begin("bot", 20.0)
        watch.look()
        watch.end("bot", answered=False)
    assert [line.partition(",")[0] for line in told] == ["waiting for bot: no answer for 40 s"]


def test_a_long_pause_is_told_once_for_all_that_wait() -> None:
    watch, clock, told = waits()
    watch.pause("bot", FIRST_TOLD_S / 2, "HTTP 429")
    for _ in range(4):
        watch.pause("bot", 240.0, "HTTP 429: slow down")
    assert told == ["waiting 240 s before bot is asked again: HTTP 429: slow down"]
    clock.now = 241.0
    watch.pause("bot", 60.0, "HTTP 503")
    assert len(told) == 2
