"""Which questions without an outcome are missing, and which count as not asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.retrying import FAILING, GREETING, OUTAGE_GREETINGS
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.engine import TrialEngine
from buttress.trials.health import TargetDiedError
from tests.trials.parts import MemoryStore, WordJudge, specs

EXPIRED = TargetError("HTTP 401: the key has expired", retry=False, fatal=True)
QUOTA = TargetError("HTTP 429: insufficient_quota", retry=False, fatal=True)
BAD_GATEWAY = TargetError("HTTP 502: bad gateway", retry=True)
RESET = TargetError("connection failed: reset", retry=False, fatal=True, doubtful=True)


def number(request: Request) -> int:
    """Of a question; -1 of a harmless one that only asks whether the target lives."""
    text = request.messages[-1].content
    return -1 if text == GREETING.messages[-1].content else int(text.split()[-1])


def engine_of(
    answer: Callable[[Request], Answer | Awaitable[Answer]], concurrency: int
) -> TrialEngine:
    return TrialEngine(
        ScriptedTarget(answer, concurrency=concurrency),
        WordJudge(),
        MemoryStore(),
        asset="bot",
        run="r1",
        seed=1,
        backoff_s=0.001,
    )


async def run(
    answer: Callable[[Request], Answer | Awaitable[Answer]], concurrency: int
) -> tuple[dict[int, str], str]:
    """What was told as lost, and why the run ended early."""
    engine = engine_of(answer, concurrency)
    lost: dict[int, str] = {}
    try:
        await engine.stream(specs(200), lambda trials: None, lost.__setitem__)
    except TargetDiedError as error:
        return lost, str(error)
    return lost, ""


def ending(error: TargetError, after: int = 100) -> Callable[[Request], Answer]:
    """Answers so many questions, and then none."""
    left = after

    def answer(_: Request) -> Answer:
        nonlocal left
        left -= 1
        if left < 0:
            raise error
        return Answer("no")

    return answer


@pytest.mark.parametrize("error", [EXPIRED, QUOTA])
@pytest.mark.parametrize("concurrency", [1, 16])
async def test_where_a_key_expires_the_last_questions_count_as_not_asked(
    error: TargetError, concurrency: int
) -> None:
    lost, ended = await run(ending(error), concurrency)
    assert str(error) in ended
    assert lost == {}


@pytest.mark.parametrize("error", [EXPIRED, BAD_GATEWAY], ids=str)
@pytest.mark.parametrize("concurrency", [1, 16])
async def test_what_fails_for_what_it_asks_is_missing_whatever_the_error_says(
    concurrency: int, error: TargetError
) -> None:
    def answer(request: Request) -> Answer:
        if number(request) % 10 == 7:
            raise error
        return Answer("no")

    lost, ended = await run(answer, concurrency)
    assert ended == ""
    assert lost == dict.fromkeys(range(7, 200, 10), str(error))


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_an_error_about_the_question_ends_no_run_at_its_end(concurrency: int) -> None:
    """Also where the harmless question has such an error: nothing says that the target is gone."""
    error = TargetError("ValueError: no answer", retry=False)

    def answer(request: Request) -> Answer:
        if number(request) < 0 or number(request) >= 197:
            raise error
        return Answer("no")

    lost, ended = await run(answer, concurrency)
    assert ended == ""
    assert lost == dict.fromkeys(range(197, 200), str(error))


@pytest.mark.parametrize("error", [RESET, BAD_GATEWAY], ids=str)
@pytest.mark.parametrize("concurrency", [1, 4, 64])
async def test_where_a_server_dies_one_question_is_missing(
    error: TargetError, concurrency: int
) -> None:
    """It may have died of one of them, and of one alone; the others were asked of nobody."""
    calls = 0

    def answer(_: Request) -> Answer:
        nonlocal calls
        calls += 1
        if calls > 100:
            raise error
        return Answer("no")

    lost, ended = await run(answer, concurrency)
    assert str(error) in ended
    assert len(lost) == 1
    assert calls <= 100 + concurrency + FAILING + 2 * OUTAGE_GREETINGS


async def test_each_probe_misses_the_question_that_a_server_may_have_died_of() -> None:
    engine = engine_of(ending(BAD_GATEWAY), 8)
    lost: list[str] = []

    async def stream(probe: str) -> None:
        with suppress(TargetDiedError):
            await engine.stream(
                specs(200, probe=probe), lambda trials: None, lambda *_: lost.append(probe)
            )

    await asyncio.gather(*(stream(probe) for probe in ("p", "q", "p")))
    assert sorted(lost) == ["p", "q"]


@pytest.mark.parametrize("concurrency", [1, 64])
async def test_where_nobody_reaches_a_server_any_more_one_question_looks_for_all(
    concurrency: int,
) -> None:
    """What was never sent failed whatever it asks, and costs no attempt for each question."""
    calls = 0

    def answer(_: Request) -> Answer:
        nonlocal calls
        calls += 1
        if calls > 100:
            raise TargetError("connection refused", retry=True, fatal=True, unreached=True)
        return Answer("no")

    lost, ended = await run(answer, concurrency)
    assert "connection refused" in ended
    assert lost == {}
    assert calls <= 100 + concurrency + OUTAGE_GREETINGS


@pytest.mark.parametrize("concurrency", [1, 64])
async def test_a_server_that_begins_anew_loses_no_question(concurrency: int) -> None:
    calls, away = 0, 0

    def answer(request: Request) -> Answer:
        nonlocal calls, away
        calls += 1
        if calls == 100:
            away = 2  # harmless questions in vain
        if away:
            away -= number(request) < 0
            raise TargetError("connection refused", retry=True, fatal=True, unreached=True)
        return Answer("no")

    assert await run(answer, concurrency) == ({}, "")
    assert calls >= 200


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


def blocked(request: Request) -> TargetError:
    """What a firewall says, to a harmful question and to a banned caller alike."""
    said = f"HTTP 403: Access denied ({number(request)})"
    refused = Answer(said, "content_filter", refused_by="firewall")
    return TargetError(said, retry=False, fatal=True, refusal=refused)


class Firewall:
    """Turns down questions of the numbers ``harmful``, and all from its ``banned``-th on."""

    def __init__(self, harmful: range, banned: int = 10_000) -> None:
        self._harmful = harmful
        self._banned = banned
        self.asked: list[int] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(number(request))
        if len(self.asked) > self._banned or self.asked[-1] in self._harmful:
            raise blocked(request)
        return Answer("no")


async def trials_of(firewall: Firewall, concurrency: int) -> tuple[dict[int, str], dict[int, str]]:
    """By number of the question: who refused it, and why it was lost."""
    engine = engine_of(firewall, concurrency)
    trials: dict[int, str] = {}
    lost: dict[int, str] = {}
    with suppress(TargetDiedError):
        await engine.stream(
            specs(200),
            lambda some: trials.update((index, trial.refused_by) for index, trial in some),
            lost.__setitem__,
        )
    return trials, lost


@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize("banned", [100, 101, 198])
async def test_refusals_of_a_banned_caller_count_as_not_asked(
    banned: int, concurrency: int
) -> None:
    firewall = Firewall(range(3, 200, 10), banned)
    trials, lost = await trials_of(firewall, concurrency)
    before = [index for index in firewall.asked[:banned] if index >= 0]
    confirmed = {index for index in before if index % 10 != 3}
    assert confirmed <= trials.keys() <= set(before)
    assert {index for index, who in trials.items() if who} <= set(range(3, 200, 10))
    assert lost == {}
    assert firewall.asked.count(-1) <= 6


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_refusals_by_a_firewall_all_count_where_the_caller_is_not_banned(
    concurrency: int,
) -> None:
    firewall = Firewall(range(180, 200))  # the last ones, so that no answer follows
    trials, lost = await trials_of(firewall, concurrency)
    assert trials == {index: "firewall" if index >= 180 else "" for index in range(200)}
    assert lost == {}
