"""Inspect's providers as targets, through a real provider and a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from buttress.errors import InputError
from buttress.targets.base import Answer, Message, Request, Sampling, Target, TargetError
from buttress.targets.inspect_provider import create
from buttress.trials.engine import TrialEngine
from tests.targets.server import Handler, completion, serving
from tests.trials.parts import MemoryStore, WordJudge, specs

pytest.importorskip("inspect_ai")
pytest.importorskip("openai")

QUESTION = Request(
    (Message("system", "Be brief."), Message("user", "你好"), Message("assistant", "Hi."),
     Message("user", "hello")),
    Sampling(max_tokens=7, temperature=0.5, seed=3),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TOY_API_KEY", "none")
    return


async def ask(handler: Handler, request: Request = QUESTION, **settings: Any) -> Answer:
    async with serving(handler) as url:
        target = create(inspect="openai-api/toy/m", base_url=url, **settings)
        try:
            return await target.answer(request)
        finally:
            await target.aclose()


async def test_question_and_answer() -> None:
    received: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        received.append(await request.json())
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        return completion("Hi!", id="1", created=1, model="m", object="c", usage=usage)

    answer = await ask(handler)
    assert answer.text == "Hi!"
    assert (answer.prompt_tokens, answer.completion_tokens) == (9, 3)
    assert answer.finish_reason == "stop"
    (body,) = received
    assert body["model"] == "m"
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (7, 0.5, 3)
    sent = [(message["role"], message["content"]) for message in body["messages"]]
    assert sent == [(message.role, message.content) for message in QUESTION.messages]


async def test_a_rate_limit_is_told_at_once_with_its_wait() -> None:
    calls = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": "7"})

    with pytest.raises(TargetError) as caught:
        await ask(handler)
    assert calls == 1
    assert caught.value.retry
    assert caught.value.throttled
    assert caught.value.retry_after_s == pytest.approx(7)


@pytest.mark.parametrize(("status", "retry"), [(500, True), (401, False), (404, False)])
async def test_other_failures(status: int, retry: bool) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "two\nlines"}}, status=status)

    with pytest.raises(TargetError) as caught:
        await ask(handler)
    assert caught.value.retry is retry
    assert not caught.value.throttled
    assert "\n" not in str(caught.value)


FILTERED = {"error": {"code": "content_filter", "message": "The response was filtered"}}


@pytest.mark.parametrize("status", [400, 500])
async def test_a_filter_in_front_of_the_model_refuses(status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(FILTERED, status=status)

    answer = await ask(handler)
    assert (answer.refused_by, answer.finish_reason) == ("content filter", "content_filter")


@pytest.mark.parametrize(("text", "who"), [("", "content filter"), ("First, take", "")])
async def test_a_filtered_answer_is_a_refusal_where_nothing_is_left(text: str, who: str) -> None:
    async def handler(_: web.Request) -> web.Response:
        choice = {"index": 0, "finish_reason": "content_filter",
                  "message": {"role": "assistant", "content": text}}  # fmt: skip
        return web.json_response(
            {"id": "1", "created": 1, "model": "m", "object": "c", "choices": [choice]}
        )

    answer = await ask(handler)
    assert (answer.text, answer.refused_by) == (text, who)
    assert answer.finish_reason == "content_filter"


async def test_reasoning_stands_apart() -> None:
    async def handler(_: web.Request) -> web.Response:
        message = {"role": "assistant", "content": "No.", "reasoning_content": "Hm."}
        return completion(message, id="1", created=1, model="m", object="c")

    answer = await ask(handler)
    assert (answer.text, answer.reasoning) == ("No.", "Hm.")


async def test_nobody_listens() -> None:
    async def unused(_: web.Request) -> web.Response:
        return web.Response()

    async with serving(unused) as url:
        pass
    target = create(inspect="openai-api/toy/m", base_url=url)
    with pytest.raises(TargetError) as caught:
        await target.answer(QUESTION)
    assert caught.value.retry
    await target.aclose()


async def test_the_engine_runs_trials_on_it_many_at_a_time() -> None:
    flying = most = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.05)
        flying -= 1
        text = (await request.json())["messages"][-1]["content"]
        return completion(f"no to {text}", id="1", created=1, model="m", object="c")

    async with serving(handler) as url:
        target = create(inspect="openai-api/toy/m", base_url=url, concurrency=8)
        engine = TrialEngine(target, WordJudge(), MemoryStore(), asset="a", run="r", seed=0)
        trials = await engine.run(specs(24))
        await target.aclose()
    assert [trial.answer for trial in trials] == [f"no to question {n}" for n in range(24)]
    assert 4 <= most <= 8


def test_identity_names_provider_model_and_url() -> None:
    target = create(inspect="openai-api/toy/m", base_url="http://127.0.0.1:9/v1", concurrency=3)
    assert isinstance(target, Target)
    assert "openai-api/toy/m" in target.identity
    assert "http://127.0.0.1:9/v1" in target.identity
    assert not target.stable
    assert target.concurrency == 3


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"inspect": "gpt"}, "PROVIDER/MODEL"),
        ({"inspect": "nosuchprovider/m"}, "nosuchprovider"),
        ({"inspect": "openai-api/nokey/m"}, "NOKEY"),
        ({"inspect": "openai-api/toy/m", "concurrency": 0}, "concurrency"),
        ({"inspect": "openai-api/toy/m", "args": [1]}, "args"),
        ({"inspect": "openai-api/toy/m", "tempo": 1}, "tempo"),
    ],
)
def test_what_the_user_gets_wrong(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError) as caught:
        create(**settings)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
