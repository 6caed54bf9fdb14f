from __future__ import annotations

import asyncio
import datetime
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from buttress.errors import InputError
from buttress.targets import completion as reading
from buttress.targets.base import Answer, Message, Request, Sampling, Target, TargetError
from buttress.targets.endpoint import create
from buttress.targets.retry_after import retry_after
from buttress.trials.engine import TrialEngine
from tests.targets.server import Handler, completion, serving
from tests.trials.parts import MemoryStore, WordJudge, specs

QUESTION = Request((Message("system", "Be brief."), Message("user", "你好 \u2028 hello")))


async def ask(handler: Handler, request: Request = QUESTION, **settings: Any) -> Answer:
    async with serving(handler) as url:
        target = create(endpoint=url, model="m", **settings)
        try:
            return await target.answer(request)
        finally:
            await target.aclose()


async def failure(handler: Handler, **settings: Any) -> TargetError:
    with pytest.raises(TargetError) as caught:
        await ask(handler, **settings)
    assert "\n" not in str(caught.value)
    return caught.value


def fixed(response: Any, status: int = 200, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(response, status=status, headers=headers)

    return handler


def choice(message: Any, reason: str | None = "stop") -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": reason}]}


async def test_question_and_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[tuple[Any, Any]] = []

    async def handler(request: web.Request) -> web.Response:
        received.append((await request.json(), request.headers))
        return completion("Hi!", usage={"prompt_tokens": 9, "completion_tokens": 3})

    monkeypatch.setenv("SOME_KEY", " sk-123 ")
    request = Request(QUESTION.messages, Sampling(max_tokens=7, temperature=0.5, seed=3))
    answer = await ask(
        handler,
        request,
        api_key_env="SOME_KEY",
        headers={"X-Team": "red"},
        extra={"top_p": 0.9, "seed": None},
    )
    assert (answer.text, answer.finish_reason) == ("Hi!", "stop")
    assert (answer.prompt_tokens, answer.completion_tokens) == (9, 3)
    assert answer.latency_s > 0
    body, headers = received[0]
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "你好 \u2028 hello"},
        ],
        "max_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.9,
    }
    assert headers["Authorization"] == "Bearer sk-123"
    assert headers["X-Team"] == "red"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None}, ""),
        ({}, ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab"),
        ({"content": [{"type": "thinking", "text": "hm"}, "c", 7, {"type": "image"}]}, "c"),
        ({"content": None, "refusal": "I can't."}, "I can't."),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, "No."),
        ({"content": "", "reasoning_content": "secret thoughts"}, ""),
        (
            {
                "content": None,
                "tool_calls": [{"function": {"name": "rm", "arguments": '{"path":"/"}'}}],
            },
            'rm({"path":"/"})',
        ),
        (
            {"content": "Sure:", "function_call": {"name": "f", "arguments": {"é": 1}}},
            'Sure:\nf({"é": 1})',
        ),
        ({"content": "x", "tool_calls": "nonsense"}, "x"),
    ],
)
async def test_what_counts_as_the_answer(message: dict[str, Any], text: str) -> None:
    assert (await ask(fixed(choice(message)))).text == text


async def test_a_filtered_answer_is_an_answer() -> None:
    answer = await ask(fixed(choice({"content": ""}, "content_filter")))
    assert (answer.text, answer.finish_reason) == ("", "content_filter")
    error = {"error": {"code": "content_filter", "message": "The prompt was filtered."}}
    answer = await ask(fixed(error, 400))
    assert (answer.text, answer.finish_reason) == ("The prompt was filtered.", "content_filter")


@pytest.mark.parametrize(
    "usage", [None, [], {}, {"prompt_tokens": None}, {"prompt_tokens": -5}, {"prompt_tokens": "9"}]
)
async def test_tokens_are_estimated_where_usage_is_missing_or_nonsense(usage: Any) -> None:
    answer = await ask(fixed({**choice({"content": "x" * 360}, None), "usage": usage}))
    assert answer.estimated
    assert answer.finish_reason == "stop"
    assert 5 <= answer.prompt_tokens <= 30
    assert 90 <= answer.completion_tokens <= 130


@pytest.mark.parametrize("status", [429, 503])
async def test_overload(status: int) -> None:
    error = await failure(
        fixed({"error": {"message": "slow\ndown"}}, status, **{"Retry-After": "7"})
    )
    assert (error.retry, error.throttled, error.retry_after_s) == (True, True, 7.0)
    assert str(error) == f"HTTP {status}: slow down"


def test_retry_after_in_all_its_forms() -> None:
    now = 1_700_000_000.0
    moment = datetime.datetime.fromtimestamp(now + 90, datetime.UTC)
    given = {
        "12": 12.0,
        "0.5": 0.5,
        "-3": 0.0,
        "1e99": 3600.0,
        format_datetime(moment, usegmt=True): 90.0,
        "Wed, 21 Oct 2015 07:28:00 GMT": 0.0,
        "soon": None,
        "nan": None,
        "": None,
    }
    assert {text: retry_after({"retry-after": text}, now) for text in given} == given
    assert retry_after({}) is None
    assert retry_after({"retry-after": "9", "retry-after-ms": "250"}) == 0.25


async def test_a_spent_quota_is_no_overload() -> None:
    body = {"error": {"code": "insufficient_quota", "message": "You exceeded your quota"}}
    error = await failure(fixed(body, 429))
    assert (error.retry, error.throttled) == (False, False)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "Invalid key"}}, "HTTP 401: Invalid key"),
        ({"error": "Invalid key"}, "HTTP 401: Invalid key"),
        ({"detail": [{"msg": "field required"}]}, "HTTP 401: field required"),
        ({"message": "nope"}, "HTTP 401: nope"),
        ([], "HTTP 401"),
        ("plain", "HTTP 401: plain"),
    ],
)
async def test_client_errors_are_final_and_quote_the_server(body: Any, said: str) -> None:
    error = await failure(fixed(body, 401))
    assert (str(error), error.retry) == (said, False)


async def test_the_key_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-very-secret")
    body = {"error": {"message": "Incorrect API key provided: sk-very-secret."}}
    error = await failure(fixed(body, 401), api_key_env="SOME_KEY")
    assert str(error) == "HTTP 401: Incorrect API key provided: [key]."


@pytest.mark.parametrize("status", [500, 502, 504, 408])
async def test_server_errors_can_pass(status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>\n<h1>Bad gateway</h1>" * 100)

    error = await failure(handler)
    assert (error.retry, error.throttled) == (True, False)
    assert len(str(error)) <= 300


async def test_redirects_are_not_followed() -> None:
    async def handler(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("http://127.0.0.1:1/elsewhere")

    error = await failure(handler)
    assert not error.retry
    assert "elsewhere" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"choices": [',
        b"[]",
        b"7",
        b"null",
        b'{"choices": [7]}',
        b'{"choices": [{}]}',
        b'{"choices": {"0": 1}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
async def test_bodies_that_are_no_completion(body: bytes) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    assert (await failure(handler)).retry


async def test_an_error_with_status_200() -> None:
    error = await failure(fixed({"error": {"code": 429, "message": "busy"}}))
    assert (str(error), error.retry, error.throttled) == ("the target said: busy", True, True)
    assert not (await failure(fixed({"error": {"code": 400, "message": "bad"}}))).retry


async def test_half_a_surrogate_pair_is_replaced() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=rb'{"choices":[{"message":{"content":"hi \ud83d"}}]}')

    assert (await ask(handler)).text == "hi \ufffd"


async def test_a_chunked_answer_is_read_whole_but_not_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"choices":[{"message":{"content":"')
        await response.write(b"x" * 100_000)
        await response.write(b'"}}]}')
        return response

    assert len((await ask(handler)).text) == 100_000
    monkeypatch.setattr("buttress.targets.connection.BODY_LIMIT", 50_000)
    error = await failure(handler)
    assert "larger than" in str(error)


async def test_a_dropped_connection_can_pass() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    error = await failure(handler)
    assert error.retry
    assert "connection failed" in str(error)


async def test_nobody_listens() -> None:
    target = create(endpoint="http://127.0.0.1:9/v1", model="m")
    with pytest.raises(TargetError) as caught:
        await target.answer(QUESTION)
    assert str(caught.value) == "connection failed: 127.0.0.1:9: Connection refused"
    assert caught.value.retry
    await target.aclose()


async def test_no_host_of_the_name() -> None:
    target = create(endpoint="http://no-such-host.invalid:80/v1", model="m")
    with pytest.raises(TargetError, match=r"connection failed: no-such-host.invalid:80: \w+"):
        await target.answer(QUESTION)
    await target.aclose()


async def test_a_slow_server_is_given_up_in_time() -> None:
    async def handler(_: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return completion("late")

    error = await failure(handler, timeout_s=0.02)
    assert (str(error), error.retry) == ("no answer within 0.02 s", True)


async def test_a_model_that_wants_other_parameters_gets_them() -> None:
    seen: list[set[str]] = []

    async def handler(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append(set(body))
        said, field = "", ""
        if "max_tokens" in body:
            said, field = "Use 'max_completion_tokens' instead.", "max_tokens"
        elif "temperature" in body:
            said, field = "Unsupported value", "temperature"
        if said:
            error = {"message": said, "param": field, "code": "unsupported_value"}
            return web.json_response({"error": error}, status=400)
        return completion("fine")

    async with serving(handler) as url:
        target = create(endpoint=url, model="m")
        for _ in range(2):
            with pytest.raises(TargetError) as caught:
                await target.answer(QUESTION)
            assert caught.value.retry
        assert (await target.answer(QUESTION)).text == "fine"
        await target.aclose()
    assert seen[-1] == {"model", "messages", "max_completion_tokens"}


async def test_the_engine_gets_all_answers_from_a_server_with_bad_days() -> None:
    asked: dict[str, int] = {}

    async def handler(request: web.Request) -> web.Response:
        text = (await request.json())["messages"][0]["content"]
        asked[text] = asked.get(text, 0) + 1
        number = int(text.split()[-1])
        if asked[text] == 1 and number % 5 == 0:
            return web.Response(status=429, headers={"Retry-After": "0.01"})
        if asked[text] == 1 and number % 5 == 1:
            return web.Response(text="not json")
        if asked[text] == 1 and number % 5 == 2:
            assert request.transport is not None
            request.transport.close()
        return completion(f"no {number}")

    async with serving(handler) as url:
        target = create(endpoint=url, model="m", concurrency=16)
        engine = TrialEngine(
            target, WordJudge(), MemoryStore(), asset="a", run="r", seed=0, backoff_s=0.001
        )
        trials = await engine.run(specs(60))
        await target.aclose()
    assert [trial.answer for trial in trials] == [f"no {i}" for i in range(60)]
    assert engine.totals.errors == 0
    assert engine.totals.calls == sum(asked.values()) == 96


def test_it_is_a_target_with_an_identity() -> None:
    one = create(endpoint="http://host:8000/v1/", model="m")
    assert isinstance(one, Target)
    assert one.identity == "endpoint:http://host:8000/v1/chat/completions#m"
    full = create(endpoint="http://host:8000/v1/chat/completions?api-version=2", model="m")
    assert full.identity == "endpoint:http://host:8000/v1/chat/completions?api-version=2#m"
    assert create(endpoint="http://host/v1", model="m", extra={"top_k": 1}).identity != (
        create(endpoint="http://host/v1", model="m").identity
    )
    assert (one.stable, one.concurrency, one.name) == (False, 64, "m at host:8000")


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"endpoint": "localhost:8000"}, "endpoint"),
        ({"endpoint": "ftp://host/v1"}, "endpoint"),
        ({"endpoint": "http://"}, "endpoint"),
        ({"endpoint": "http://host:99999/v1"}, "endpoint"),
        ({"endpoint": 7}, "endpoint"),
        ({"endpoint": "http://me:pw@host:x/v1"}, "endpoint"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": "3"}, "timeout_s"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"headers": {"X": "a\r\nB: c"}}, "headers"),
        ({"headers": ["X"]}, "headers"),
        ({"api_key_env": "BUTTRESS_NO_SUCH_VARIABLE"}, "api_key_env"),
        ({"extra": [1]}, "extra"),
        ({"modell": "x"}, "modell"),
    ],
)
def test_bad_settings(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=field):
        create(**({"endpoint": "http://host/v1", "model": "m"} | settings))


def test_error_texts_are_short_and_on_one_line() -> None:
    assert reading.one_line("a\n b\t c") == "a b c"
    assert len(reading.one_line("x" * 1000)) == reading.MESSAGE_LENGTH


@pytest.mark.parametrize("code", ["²9", "9" * 5000, "٤٢٩"])
def test_a_strange_code_of_an_error_is_an_error_of_the_target(code: str) -> None:
    from buttress.targets.completion import read

    with pytest.raises(TargetError):
        read({"error": {"message": "no", "code": code}}, 0.0)
