"""The shared client: pauses, budgets, the first question alone, and the same for judges."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from buttress.targets import allowance as allowance_module
from buttress.targets import retrying
from buttress.targets.allowance import RunAllowance, SpentError
from buttress.targets.base import Answer, Message, Request, TargetError, needs_no_timeout
from buttress.targets.concurrency import ConcurrencyLimit
from buttress.targets.failures import STARTING_S
from buttress.targets.open import open_target
from buttress.targets.retrying import GREETING, RetryingClient, TargetClosedError
from buttress.targets.retrying_target import RetryingTarget
from buttress.targets.scripted import ScriptedTarget
from buttress.targets.wrapped import WrappedTarget
from buttress.trials.totals import Totals

FORM = {"url": "http://127.0.0.1:9/ask", "body": {"q": "{{prompt}}"}, "answer": "$.a"}


def question(text: str) -> Request:
    return Request((Message("user", text),))


async def test_a_budget_of_calls_holds_whatever_fails_and_is_in_flight() -> None:
    totals = Totals()

    async def failing(_: Request) -> Answer:
        await asyncio.sleep(0.001)
        raise TargetError("HTTP 502", retry=True)

    allowance = RunAllowance(calls=50, spent_calls=lambda: totals.calls)
    client = RetryingClient(
        ScriptedTarget(failing), allowance=allowance, meter=totals, backoff_s=0.001
    )
    asked = [client.ask(question(str(i))) for i in range(64)]
    errors = await asyncio.gather(*asked, return_exceptions=True)
    assert totals.calls == 50
    assert any(isinstance(error, SpentError) for error in errors)
    assert allowance.reason == "the budget of calls is spent"


def test_a_judge_that_has_to_ask_again_takes_more_of_the_budget() -> None:
    for asked, admitted in ((10, True), (30, False)):
        allowance = RunAllowance(
            calls=100, spent_calls=lambda: 90, judge_calls=1, spent_judge_calls=lambda n=asked: n
        )
        allowance.settle(10)
        for _ in range(5):
            allowance.begin()
        assert allowance.admits() is admitted


async def test_a_budget_of_money_holds_with_many_in_flight() -> None:
    totals = Totals()

    async def slow(_: Request) -> Answer:
        await asyncio.sleep(0.002)
        return Answer("x", completion_tokens=10)

    allowance = RunAllowance(cost=100.0, spent_cost=lambda: float(totals.completion_tokens))
    client = RetryingClient(ScriptedTarget(slow), allowance=allowance, meter=totals)
    asked = [client.ask(question(str(i))) for i in range(64)]
    said = await asyncio.gather(*asked, return_exceptions=True)
    assert totals.completion_tokens == 100
    assert sum(isinstance(each, Answer) for each in said) == 10


@pytest.mark.parametrize("lengths", [[10], [2, 30, 5, 11], [1, 1, 1, 80]])
@pytest.mark.parametrize("in_flight", [1, 64])
async def test_a_budget_of_tokens_holds(lengths: list[int], in_flight: int) -> None:
    """Also where an earlier run has spent a part, and a judge reads each answer."""
    earlier, most, totals, judged = 1_500, 5_000, Totals(), Totals()

    async def slow(request: Request) -> Answer:
        await asyncio.sleep(0.001)
        number = int(request.messages[-1].content)
        return Answer("x", prompt_tokens=5, completion_tokens=lengths[number % len(lengths)])

    def spent() -> int:
        both = (totals, judged)
        return earlier + sum(each.prompt_tokens + each.completion_tokens for each in both)

    allowance = RunAllowance(tokens=most, spent_tokens=spent)
    allowance.start()
    target = ScriptedTarget(slow, concurrency=in_flight)
    client = RetryingClient(target, allowance=allowance, meter=totals)

    async def ask(number: int) -> None:
        answer = await client.ask(question(str(number)))
        allowance.hand_over()
        await asyncio.sleep(0.001)
        judged.answered(
            Answer("", prompt_tokens=answer.completion_tokens + 20, completion_tokens=4)
        )
        allowance.settle(1)

    said = await asyncio.gather(*(ask(n) for n in range(400)), return_exceptions=True)
    assert allowance.reason == "the budget of tokens is spent"
    assert any(isinstance(each, SpentError) for each in said)
    assert 0.95 * most <= spent() <= 1.05 * most


async def test_a_question_that_timed_out_was_read() -> None:
    totals = Totals()
    allowance = RunAllowance(tokens=180, spent_tokens=lambda: totals.prompt_tokens)

    def hanging(request: Request) -> Answer:
        if request.messages == GREETING.messages:
            return Answer("Hello.")
        raise TargetError("no answer within 1 s", retry=True, timed_out=True)

    client = RetryingClient(
        ScriptedTarget(hanging, concurrency=2), allowance=allowance, meter=totals, backoff_s=0.001
    )
    with pytest.raises(SpentError, match="tokens"):
        await client.ask(question("x" * 360))
    assert 180 <= totals.prompt_tokens <= 280


async def test_the_time_ends_pauses_and_questions() -> None:
    allowance = RunAllowance(seconds=0.2)

    def busy(_: Request) -> Answer:
        raise TargetError("HTTP 429", retry=True, throttled=True, retry_after_s=60.0)

    with pytest.raises(SpentError, match="time"):
        await RetryingClient(ScriptedTarget(busy), allowance=allowance).ask(question("a"))

    async def hangs(_: Request) -> Answer:
        await asyncio.sleep(60)
        return Answer("late")

    allowance = RunAllowance(seconds=0.05)
    with pytest.raises(SpentError, match="time"):
        await RetryingClient(ScriptedTarget(hangs), allowance=allowance).ask(question("a"))


async def test_a_first_question_that_is_always_throttled_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retrying, "FIRST_WAIT_S", 0.2)

    def busy(_: Request) -> Answer:
        raise TargetError("HTTP 429", retry=True, throttled=True)

    target = Slow(busy)
    client = RetryingClient(target, backoff_s=0.05)
    with pytest.raises(TargetError, match="429"):
        async with asyncio.timeout(60):
            await client.ask(question("a"))
    assert target.calls < 20


async def test_an_hour_is_not_waited_for() -> None:
    def closed(_: Request) -> Answer:
        raise TargetError("HTTP 429", retry=True, throttled=True, retry_after_s=3600.0)

    with pytest.raises(TargetClosedError, match=r"60 minutes.*--resume"):
        await RetryingClient(ScriptedTarget(closed)).ask(question("a"))


class Slow(ScriptedTarget):
    starts_slowly = True


class OwnTime(ScriptedTarget):
    needs_no_timeout = True


async def unhurried(_: Request) -> Answer:
    await asyncio.sleep(0.2)
    return Answer("x")


@pytest.mark.parametrize("wrap", [False, True], ids=["plain", "wrapped"])
async def test_who_keeps_time_itself_is_not_interrupted(wrap: bool) -> None:
    target = OwnTime(unhurried)
    asked = WrappedTarget(target) if wrap else target
    answer = await RetryingClient(asked, timeout_s=0.01, max_attempts=1).ask(question("a"))
    assert answer.text == "x"
    assert target.calls == 1


async def test_others_are_interrupted() -> None:
    client = RetryingClient(ScriptedTarget(unhurried), timeout_s=0.01, max_attempts=1)
    with pytest.raises(TargetError, match=r"no answer within 0.01 s"):
        await client.ask(question("a"))


@pytest.mark.parametrize(("concurrency", "most"), [(1, 80), (8, 110)])
async def test_what_hangs_alone_is_not_asked_for_long(concurrency: int, most: int) -> None:
    async def hangs_on_some(request: Request) -> Answer:
        if request.messages[-1].content.startswith("harm"):
            await asyncio.sleep(60)
        return Answer("x")

    target = ScriptedTarget(hangs_on_some, concurrency=concurrency)
    client = RetryingClient(target, timeout_s=0.05, backoff_s=0.001, harmless="Hello")
    asked = [client.ask(question(f"{'harm' if i % 5 == 4 else 'fine'} {i}")) for i in range(50)]
    said = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, Answer) for each in said) == 40
    assert all("no answer within" in str(each) for each in said if isinstance(each, TargetError))
    assert target.calls <= most  # twice each, and something harmless where one is in flight


@pytest.mark.parametrize("concurrency", [1, 8, 64])
@pytest.mark.parametrize("good", [0, 30])
async def test_a_target_that_hangs_on_everything_is_given_up_after_one_harmless_question(
    good: int, concurrency: int
) -> None:
    calls = 0

    async def hangs(_: Request) -> Answer:
        nonlocal calls
        calls += 1
        if calls > good:
            await asyncio.sleep(60)
        return Answer("x")

    client = RetryingClient(
        ScriptedTarget(hangs, concurrency=concurrency), timeout_s=0.1, backoff_s=0.001
    )
    asked = [client.ask(question(str(i))) for i in range(good + concurrency)]
    said = await asyncio.gather(*asked, return_exceptions=True)
    errors = [each for each in said if isinstance(each, TargetError)]
    assert len(errors) >= concurrency
    assert calls <= good + concurrency + 1
    assert await client.shuts_out(errors[-1])


async def test_a_target_that_is_slow_for_all_is_not_taken_for_one_that_hangs() -> None:
    slot = asyncio.Semaphore(1)

    async def one_at_a_time(_: Request) -> Answer:
        async with slot:
            await asyncio.sleep(0.02)
        return Answer("x")

    client = RetryingClient(
        ScriptedTarget(one_at_a_time, concurrency=64), timeout_s=0.8, backoff_s=0.001
    )
    said = await asyncio.gather(*(client.ask(question(str(i))) for i in range(100)))
    assert len(said) == 100


async def test_a_budget_of_time_ends_every_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance_module, "LEAST_GRACE_S", 0.05)

    async def hang(_: Request) -> Answer:
        await asyncio.sleep(3600)
        raise AssertionError

    client = RetryingClient(OwnTime(hang), allowance=RunAllowance(seconds=0.05))
    with pytest.raises(SpentError):
        async with asyncio.timeout(60):
            await client.ask(question("a"))


@pytest.mark.parametrize(
    "settings",
    [{"endpoint": "http://127.0.0.1:9/v1", "model": "m", "timeout_s": 900}, {"http": FORM}],
    ids=["endpoint", "http"],
)
def test_the_timeout_of_a_manifest_is_the_one_that_counts(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    assert needs_no_timeout(open_target(settings, base=tmp_path))


class Unknown(ScriptedTarget):
    starts_slowly = True


async def test_the_first_question_is_asked_alone() -> None:
    active, most, seen = 0, 0, []

    async def reply(request: Request) -> Answer:
        nonlocal active, most
        active += 1
        if len(seen) < 3:
            most = max(most, active)
        seen.append(request.messages[0].content)
        await asyncio.sleep(0.002)
        active -= 1
        if len(seen) < 3:
            raise TargetError("HTTP 500", retry=True)
        return Answer("ok")

    client = RetryingClient(Unknown(reply), ConcurrencyLimit(16, first=1), backoff_s=0.001)
    answers = await asyncio.gather(*(client.ask(question(str(i))) for i in range(32)))
    assert len(answers) == 32
    assert most == 1
    assert set(seen[:3]) == {"0"}


async def test_a_gateway_whose_upstream_starts_is_waited_for() -> None:
    now = 0.0

    class Starting(Unknown):
        async def answer(self, request: Request) -> Answer:
            nonlocal now
            now += 2.0  # a pause between two attempts, by the clock
            if now < ready:
                raise TargetError("HTTP 502", retry=True, starting_s=STARTING_S[502])
            return Answer("yes")

    ready = 0.8 * STARTING_S[502]
    client = RetryingClient(Starting(lambda _: "yes"), backoff_s=0.0, clock=lambda: now)
    assert (await client.ask(question("a"))).text == "yes"
    now, ready = 0.0, math.inf
    client = RetryingClient(Starting(lambda _: "yes"), backoff_s=0.0, clock=lambda: now)
    with pytest.raises(TargetError, match="502"):
        await client.ask(question("a"))
    assert now < 2 * STARTING_S[502]


def test_slow_start_doubles_each_round_trip_and_ends_with_an_overload() -> None:
    limit = ConcurrencyLimit(64, lambda: 0.0, first=1)
    reached = []
    for _ in range(7):
        for _ in range(limit.limit):
            limit.succeeded(0.1)
        reached.append(limit.limit)
    assert reached == [2, 4, 8, 16, 32, 64, 64]
    limit = ConcurrencyLimit(64, lambda: 0.0, first=1)
    for _ in range(7):
        limit.succeeded(0.1)
    limit.throttled(None)
    limit.succeeded(0.1)
    assert limit.limit == 4


async def test_a_server_with_one_slot_is_not_flooded() -> None:
    """Answers get slower by as much as there are more in flight: few are sent at once."""
    limit = ConcurrencyLimit(64, lambda: 0.0, first=1)
    for _ in range(200):
        limit.succeeded(0.1 * limit.limit)
    assert limit.limit <= 8


@pytest.mark.parametrize("slots", [1, 4, 20])
def test_a_server_that_refuses_what_it_has_no_slot_for_refuses_few(slots: int) -> None:
    clock = [0.0]
    limit = ConcurrencyLimit(64, lambda: clock[0], first=1)
    refused = answered = held = 0
    while answered < 400:
        clock[0] += 2.0  # the next round; all in flight were sent at once
        held = limit.limit
        for place in range(held):
            if place < slots:
                answered += 1
                limit.succeeded(0.1)
            else:
                refused += 1
                limit.throttled(None)
    assert refused <= 0.15 * answered
    assert limit.limit >= slots / 2


async def test_a_limit_of_questions_in_a_time_makes_all_wait() -> None:
    """10 questions in 100 ms, from a server that answers at once and names no time to wait."""
    loop = asyncio.get_running_loop()
    taken: deque[float] = deque()
    calls = 0

    def limited(request: Request) -> Answer:
        nonlocal calls
        calls += 1
        while taken and loop.time() - taken[0] > 0.1:
            taken.popleft()
        if len(taken) >= 10:
            raise TargetError("HTTP 429", retry=True, throttled=True)
        taken.append(loop.time())
        return Answer("bread")

    client = RetryingClient(ScriptedTarget(limited, concurrency=2), backoff_s=0.05)
    asked = await asyncio.gather(*(client.ask(question(str(n))) for n in range(80)))
    assert len(asked) == 80
    assert calls <= 160


def test_a_level_that_was_too_much_for_a_while_is_reached_again() -> None:
    clock = [0.0]
    limit = ConcurrencyLimit(16, lambda: clock[0])
    for _ in range(6):
        clock[0] += 2.0
        limit.throttled(None)
    assert limit.limit == 1
    for _ in range(1500):
        limit.succeeded(0.1)
    assert limit.limit == 16


async def test_a_judge_s_model_that_is_rate_limited_is_asked_again() -> None:
    refused, totals = 0, Totals()

    def busy(_: Request) -> Answer:
        nonlocal refused
        refused += 1
        if refused <= 12:  # far more often than a judge itself would ask
            raise TargetError("HTTP 429", retry=True, throttled=True)
        return Answer("verdict", completion_tokens=3)

    spent = RunAllowance(calls=1, spent_calls=lambda: 5)  # a judge may finish what is paid for
    target = RetryingTarget(ScriptedTarget(busy), totals, spent, backoff_s=0.001)
    assert (await target.answer(question("a"))).text == "verdict"
    assert (totals.calls, totals.completion_tokens) == (13, 3)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "NoneType in place of an Answer"),
        ("text", "str in place of an Answer"),
        (Answer(None), "its text is no text"),  # type: ignore[arg-type]
        (Answer("a", latency_s=math.nan), "its latency_s is no number"),
        (Answer("a", calls=-5), "its calls is no whole number from 1 up"),
        (SystemExit(0), "SystemExit: 0"),
        (GeneratorExit(), "GeneratorExit"),
        (asyncio.CancelledError(), "CancelledError"),
    ],
)
async def test_a_target_that_keeps_no_contract_gives_no_answer(given: Any, told: str) -> None:
    class Foreign(ScriptedTarget):
        async def answer(self, request: Request) -> Answer:
            if isinstance(given, BaseException):
                raise given
            return given  # type: ignore[no-any-return]

    with pytest.raises(TargetError, match=told):
        await RetryingClient(Foreign(lambda _: ""), backoff_s=0.001).ask(question("q"))


async def test_a_run_that_is_cancelled_ends_all_the_same() -> None:
    async def slow(_: Request) -> Answer:
        await asyncio.sleep(60)
        return Answer("never")

    asking = asyncio.ensure_future(RetryingClient(ScriptedTarget(slow)).ask(question("q")))
    await asyncio.sleep(0.05)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
