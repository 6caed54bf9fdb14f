from __future__ import annotations

import asyncio

from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.concurrency import ConcurrencyLimit
from buttress.targets.scripted import ScriptedTarget
from tests.trials.parts import MemoryStore, specs
from tests.trials.test_engine import echo, engine


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_throttling_halves_once_a_window() -> None:
    clock = Clock()
    limit = ConcurrencyLimit(64, clock)
    for _ in range(64):  # all in flight hear the same
        limit.throttled(None)
    assert limit.limit == 32
    clock.now += 1.1
    limit.throttled(None)
    assert limit.limit == 16
    for _ in range(20):
        clock.now += 1.1
        limit.throttled(None)
    assert limit.limit == 1


def test_success_wins_places_back_one_a_round_up_to_the_most() -> None:
    clock = Clock()
    limit = ConcurrencyLimit(16, clock)
    limit.throttled(None)
    for _ in range(8):
        limit.succeeded(0.1)
    assert 8 <= limit.limit <= 9
    for _ in range(1000):
        limit.succeeded(0.1)
    assert limit.limit == 16


def test_no_growth_while_answers_take_longer_than_they_used_to() -> None:
    limit = ConcurrencyLimit(64, Clock())
    for _ in range(100):
        limit.succeeded(0.1)
    limit.throttled(None)
    for _ in range(60):
        limit.succeeded(1.0)
    held = limit.limit
    for _ in range(100):
        limit.succeeded(1.0)
    assert limit.limit == held < 40


async def test_retry_after_closes_the_gate_for_all() -> None:
    loop = asyncio.get_running_loop()
    limit = ConcurrencyLimit(4, loop.time)
    began = loop.time()
    limit.throttled(0.05)
    await asyncio.gather(*[limit.acquire() for _ in range(2)])
    assert loop.time() - began >= 0.05
    assert limit.active == 2


async def test_a_place_given_to_a_cancelled_waiter_goes_to_the_next() -> None:
    limit = ConcurrencyLimit(1, asyncio.get_running_loop().time)
    await limit.acquire()
    first = asyncio.create_task(limit.acquire())
    second = asyncio.create_task(limit.acquire())
    await asyncio.sleep(0)
    limit.release()
    first.cancel()
    await asyncio.wait_for(second, 1)
    assert limit.active == 1


async def test_a_target_that_takes_few_is_served_without_losing_a_question() -> None:
    """It refuses more than 4 at once; the engine starts with 32 and must find that out."""
    active = refused = 0

    async def narrow(request: Request) -> Answer:
        nonlocal active, refused
        if active >= 4:
            refused += 1
            raise TargetError("HTTP 429", retry=True, throttled=True, retry_after_s=0.01)
        active += 1
        try:
            await asyncio.sleep(0.002)
        finally:
            active -= 1
        return echo(request)

    running = engine(ScriptedTarget(narrow, concurrency=32), MemoryStore())
    trials = await running.run(specs(150))
    assert len(trials) == 150
    assert running.totals.errors == 0
    assert running.totals.calls == 150 + refused
    assert running.limit.limit < 32
