"""Answers without text: a system may have nothing to say, or it may be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.retrying import GREETING, RetryingClient
from buttress.targets.scripted import ScriptedTarget
from buttress.targets.silence import SILENT

HARMLESS = GREETING.messages[-1].content


def question(text: str) -> Request:
    return Request((Message("user", text),))


def is_harmless(request: Request) -> bool:
    return request.messages[-1].content == HARMLESS


async def ask_all(
    answer: Callable[[Request], Answer | str], count: int, concurrency: int
) -> tuple[list[object], int]:
    target = ScriptedTarget(answer, concurrency=concurrency)
    client = RetryingClient(target, backoff_s=0.001)
    said = await asyncio.gather(
        *(client.ask(question(f"q{n}")) for n in range(count)), return_exceptions=True
    )
    return list(said), target.calls


@pytest.mark.parametrize("concurrency", [1, 64])
@pytest.mark.parametrize("after", [1, 50])
async def test_a_server_that_answers_with_nothing_from_some_moment_on_is_noticed(
    after: int, concurrency: int
) -> None:
    calls = 0

    def answer(_: Request) -> str:
        nonlocal calls
        calls += 1
        return "text" if calls <= after else ""

    said, _ = await ask_all(answer, 400, concurrency)
    errors = [each for each in said if isinstance(each, TargetError)]
    assert len(errors) == 400 - after - SILENT
    assert all(error.fatal and not error.doubtful for error in errors)
    assert "held no text" in str(errors[0])


async def test_who_never_said_anything_is_asked_on() -> None:
    said, calls = await ask_all(lambda _: "", 60, 4)
    assert all(isinstance(each, Answer) for each in said)
    assert calls == 60


@pytest.mark.parametrize("concurrency", [1, 64])
@pytest.mark.parametrize("silent", [0.5, 1.0], ids=["half", "all"])
async def test_who_says_nothing_to_some_questions_is_not_dead(
    silent: float, concurrency: int
) -> None:
    def answer(request: Request) -> str:
        if is_harmless(request):
            return "Hello."
        return "" if int(request.messages[-1].content[1:]) % 100 < 100 * silent else "text"

    said, calls = await ask_all(answer, 400, concurrency)
    assert all(isinstance(each, Answer) for each in said)
    assert calls <= 400 * 1.02


@pytest.mark.parametrize(
    "empty",
    [
        Answer("", finish_reason="length"),
        Answer("", reasoning="hm"),
        Answer("", refused_by="filter"),
    ],
    ids=["cut", "thinks", "refused"],
)
async def test_where_something_tells_why_there_is_no_text_it_is_no_silence(empty: Answer) -> None:
    said, calls = await ask_all(lambda _: empty, 40, 4)
    assert said == [empty] * 40
    assert calls == 40


async def test_where_a_harmless_question_gets_an_error_nothing_is_known() -> None:
    """As with a recording, which holds no answer to it."""

    def answer(request: Request) -> str:
        if is_harmless(request):
            raise TargetError("no such record", retry=False)
        return ""

    said, _ = await ask_all(answer, 100, 4)
    assert all(isinstance(each, Answer) for each in said)
