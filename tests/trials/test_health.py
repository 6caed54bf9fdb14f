"""A target that fails on some questions lives as long as it answers a harmless one."""

from __future__ import annotations

import asyncio
import time

import pytest

from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.concurrency import ConcurrencyLimit
from buttress.targets.retrying import RetryingClient
from buttress.trials.health import FAILURES_IN_A_ROW, FIRST_FAILURES, TargetDiedError, TargetHealth
from buttress.trials.totals import Totals

RESET = TargetError("connection failed: reset", retry=True, fatal=True, doubtful=True)
WRONG_KEY = TargetError("HTTP 401: wrong key", retry=False, fatal=True)
BUSY = TargetError("HTTP 500", retry=True)


class Service:
    """Answers harmless questions while it lives, and counts them."""

    name = identity = "service"
    stable = False
    concurrency = 8

    def __init__(self) -> None:
        self.lives = True
        self.asked = 0

    async def answer(self, request: Request) -> Answer:
        self.asked += 1
        await asyncio.sleep(0.01)
        if not self.lives:
            raise TargetError("connection failed: refused", retry=False)
        return Answer("Hello.")

    async def aclose(self) -> None:
        pass


def health(service: Service) -> TargetHealth:
    limit = ConcurrencyLimit(8, time.monotonic)
    client = RetryingClient(service, limit, max_attempts=1, backoff_s=0.0, meter=Totals())
    return TargetHealth("service", client, Totals())


async def test_a_doubtful_first_failure_is_followed_by_a_harmless_question() -> None:
    service = Service()
    watch = health(service)
    await watch.failed(RESET)
    assert service.asked == 1
    service.lives = False
    with pytest.raises(TargetDiedError, match="connection failed: reset"):
        await health(service).failed(RESET)


async def test_a_wrong_key_is_not_tried_again() -> None:
    service = Service()
    with pytest.raises(TargetDiedError, match="wrong key"):
        await health(service).failed(WRONG_KEY)
    assert service.asked == 0


async def test_failures_in_a_row_end_only_a_target_that_has_died() -> None:
    service = Service()
    watch = health(service)
    for _ in range(FIRST_FAILURES + FAILURES_IN_A_ROW):
        await watch.failed(BUSY)
    assert service.asked == 2
    service.lives = False
    for _ in range(FAILURES_IN_A_ROW - 1):
        await watch.failed(BUSY)
    with pytest.raises(TargetDiedError, match=f"the last {FAILURES_IN_A_ROW} questions all failed"):
        await watch.failed(BUSY)


async def test_one_harmless_question_serves_all_that_failed_meanwhile() -> None:
    service = Service()
    watch = health(service)
    await asyncio.gather(*(watch.failed(RESET) for _ in range(30)))
    assert service.asked == 1
