"""Which questions without an outcome are missing, and which count as not asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.retrying import GREETING
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.engine import TrialEngine
from buttress.trials.health import TargetDiedError
from tests.trials.parts import MemoryStore, WordJudge, specs

EXPIRED = TargetError("HTTP 401: the key has expired", retry=False, fatal=True)
QUOTA = TargetError("HTTP 429: insufficient_quota", retry=False, fatal=True)
RESET = TargetError("connection failed: reset", retry=False, fatal=True, doubtful=True)


def number(request: Request) -> int:
    """Of a question; -1 of a harmless one that only asks whether the target lives."""
    text = request.messages[-1].content
    return -1 if text == GREETING.messages[-1].content else int(text.split()[-1])


async def run(
    answer: Callable[[Request], Answer | Awaitable[Answer]], concurrency: int
) -> tuple[dict[int, str], str]:
    """What was told as lost, and why the run ended early."""
    engine = TrialEngine(
        ScriptedTarget(answer, concurrency=concurrency),
        WordJudge(),
        MemoryStore(),
        asset="bot",
        run="r1",
        seed=1,
        backoff_s=0.001,
    )
    lost: dict[int, str] = {}
    try:
        await engine.stream(specs(200), lambda trials: None, lost.__setitem__)
    except TargetDiedError as error:
        return lost, str(error)
    return lost, ""


@pytest.mark.parametrize("error", [EXPIRED, QUOTA])
@pytest.mark.parametrize("concurrency", [1, 16])
async def test_where_a_key_expires_the_last_questions_count_as_not_asked(
    error: TargetError, concurrency: int
) -> None:
    left = 100

    def answer(_: Request) -> Answer:
        nonlocal left
        left -= 1
        if left < 0:
            raise error
        return Answer("no")

    lost, ended = await run(answer, concurrency)
    assert str(error) in ended
    assert lost == {}


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_what_fails_for_what_it_asks_is_missing_whatever_the_error_says(
    concurrency: int,
) -> None:
    def answer(request: Request) -> Answer:
        if number(request) % 10 == 7:
            raise EXPIRED
        return Answer("no")

    lost, ended = await run(answer, concurrency)
    assert ended == ""
    assert lost == dict.fromkeys(range(7, 200, 10), str(EXPIRED))


async def test_where_a_server_dies_the_last_questions_are_missing() -> None:
    """It may have died of one of them."""

    def answer(request: Request) -> Answer:
        if not 0 <= number(request) < 100:
            raise RESET
        return Answer("no")

    lost, ended = await run(answer, 4)
    assert "reset" in ended
    assert lost
    assert min(lost) == 100


async def test_answers_to_earlier_questions_do_not_speak_for_the_key() -> None:
    """Questions begun before the key expired are answered after others have failed."""
    begun = 0

    async def answer(request: Request) -> Answer:
        nonlocal begun
        begun += 1
        if begun > 40:
            raise EXPIRED
        await asyncio.sleep(0.02)
        return Answer("no")

    lost, ended = await run(answer, 16)
    assert "expired" in ended
    assert lost == {}
