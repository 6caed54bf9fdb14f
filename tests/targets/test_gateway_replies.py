"""What gateways and routers in front of a model reply besides a plain completion."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from buttress.targets.base import TargetError
from buttress.targets.retry_after import wait_in_body
from tests.targets.asking import HARMLESS, QUESTION, Server, ask, error, last_text, said

BROKEN = {"choices": [{"finish_reason": "error", "error": {"message": "provider is down"},
                       "message": {"role": "assistant", "content": ""}}]}  # fmt: skip


@pytest.mark.parametrize(
    "reply",
    [
        {"code": 0, "data": said("Bread")},
        {"output": said("Bread")},
        {"choices": [{"message": "Bread", "finish_reason": "stop"}]},
        web.json_response(said("Bread"), status=201),
        web.json_response(said("Bread"), status=246),
    ],
)
async def test_the_answer_is_found(reply: Any) -> None:
    whole = reply.text if isinstance(reply, web.Response) else json.dumps(reply)
    status = reply.status if isinstance(reply, web.Response) else 200
    server = Server(lambda *_: web.json_response(text=whole, status=status))
    assert (await ask(server, HARMLESS))[0].text == "Bread"


async def test_lines_of_json_under_the_wrong_type_are_a_stream() -> None:
    lines = [{"choices": [{"delta": {"content": part}}]} for part in ("Br", "ead")]
    body = "\n".join(map(json.dumps, lines))
    server = Server(lambda *_: web.Response(text=body, content_type="application/json"))
    assert (await ask(server, HARMLESS))[0].text == "Bread"


@pytest.mark.parametrize("reason", ["content_filter: SAFETY", "PROHIBITED_CONTENT"])
async def test_a_filters_reason_with_details_and_without_a_message(reason: str) -> None:
    server = Server(lambda *_: {"choices": [{"index": 0, "finish_reason": reason}]})
    assert (await ask(server))[0].refused_by == "content filter"


def stream(*chunks: Any, end: str = "") -> web.Response:
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end
    return web.Response(text=text, content_type="text/event-stream")


def delta(text: str, reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": reason}]}


@pytest.mark.parametrize(
    "reply",
    [
        BROKEN,
        {"error": {"message": "provider is down"}, "choices": [{"delta": {"content": ""}}]},
    ],
)
async def test_an_error_beside_an_empty_choice_is_no_answer(reply: Any) -> None:
    with pytest.raises(TargetError, match="provider is down") as caught:
        await ask(Server(lambda *_: reply))
    assert caught.value.retry


async def test_a_stream_that_breaks_off_is_no_answer_where_others_end() -> None:
    replies = [
        stream(delta("Bread"), delta("", "stop"), end="data: [DONE]\n\n"),
        stream(delta("Bre")),
        stream(delta("Bread"), end="data: [DONE]\n\n"),
    ]
    answers = await ask(Server(lambda *_: replies.pop(0)), HARMLESS, QUESTION)
    assert [answer.text for answer in answers] == ["Bread", "Bread"]


async def test_a_server_whose_streams_have_no_end_is_read_all_the_same() -> None:
    assert (await ask(Server(lambda *_: stream(delta("Bread"))), HARMLESS))[0].text == "Bread"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: web.json_response({"error": "Unexpected endpoint or method. (POST /chat)"}),
        lambda: web.Response(text="<!doctype html><title>Chat</title>", content_type="text/html"),
        lambda: error(404, {"detail": "Not Found"}),
    ],
)
@pytest.mark.parametrize("base", ["", "/gateway"])
async def test_a_base_without_v1_is_found_whatever_stands_there(wrong: Any, base: str) -> None:
    def serve(_: Any, request: web.Request) -> Any:
        right = request.path == f"{base}/v1/chat/completions"
        return said("Bread") if right else wrong()

    assert (await ask(Server(serve), HARMLESS, path=base))[0].text == "Bread"


async def test_a_model_that_was_only_loaded_is_asked_again() -> None:
    """Ollama says so to questions that come while it loads."""
    loading = {"choices": [{"message": {"role": "assistant", "content": ""}}]}
    loading["choices"][0]["finish_reason"] = "load"
    replies: list[Any] = [loading, loading, said("Bread")]
    assert (await ask(Server(lambda *_: replies.pop(0)), HARMLESS))[0].text == "Bread"
    native = [
        {"message": {"role": "assistant", "content": text}, "done": True, "done_reason": reason}
        for text, reason in (("", "load"), ("Bread", "stop"))
    ]
    server = Server(lambda *_: native.pop(0))
    assert (await ask(server, HARMLESS, api="ollama", path=""))[0].text == "Bread"


@pytest.mark.parametrize(
    ("deltas", "text"),
    [
        (["Bread", "Bread is baked", "Bread is baked slowly.", "Bread is baked slowly."], None),
        (["Bread is ", "Bread is ", "baked."], "Bread is Bread is baked."),
        (["1", "11", "111"], "111111"),
        (["ha", "ha", "ha", "ha", "ha", "ha", "ha", "ha", "ha"], "ha" * 9),
    ],
)
async def test_deltas_that_each_hold_all_before_them(deltas: list[str], text: str | None) -> None:
    lines = [{"choices": [{"delta": {"content": part}}]} for part in deltas]
    body = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"
    server = Server(lambda *_: web.Response(text=body, content_type="text/event-stream"))
    assert (await ask(server, HARMLESS))[0].text == (text or "Bread is baked slowly.")


async def test_a_page_names_the_url_that_was_asked() -> None:
    page = "<!doctype html><html><body>Sign in</body></html>"
    with pytest.raises(TargetError, match=r"'Sign in' at http://127\.0\.0\.1:\d+/v1/chat"):
        await ask(Server(lambda *_: web.Response(text=page, content_type="text/html")))


async def test_a_quota_by_the_minute_passes_and_one_by_the_month_does_not() -> None:
    spent = {
        "message": "You exceeded your current quota, please check your plan and billing details.",
        "status": "RESOURCE_EXHAUSTED",
    }
    by_minute = spent | {"details": [{"@type": "RetryInfo", "retryDelay": "0.01s"}]}
    replies: list[Any] = [error(429, [{"error": by_minute}]), said("Bread")]
    assert (await ask(Server(lambda *_: replies.pop(0)), HARMLESS))[0].text == "Bread"
    server = Server(lambda *_: error(429, {"error": spent}))
    with pytest.raises(TargetError, match="exceeded your current quota") as caught:
        await ask(server)
    assert (len(server.bodies), caught.value.fatal) == (1, True)


@pytest.mark.parametrize(
    ("payload", "text", "wait"),
    [
        ({}, "Please retry after 8 seconds.", 8.0),
        ({}, "Rate limit reached. Please try again in 6m0s.", 360.0),
        ({}, "Please try again in 120ms.", 0.12),
        ({}, "Please wait for 2 minutes", 120.0),
        ({"error": "loading", "estimated_time": 20.5}, "loading", 20.5),
        ([{"error": {"details": [{"retryDelay": "26s"}]}}], "", 26.0),
        ({}, "Try again in 30 hours", 3600.0),
        ({}, "Rate limit of 3 requests", None),
        ({"retryDelay": "soon"}, "", None),
    ],
)
def test_a_wait_that_only_the_body_names(payload: Any, text: str, wait: float | None) -> None:
    assert wait_in_body(payload, text) == wait


async def test_a_question_beyond_the_context_says_nothing_of_the_next() -> None:
    problem = {"error": {"message": "the request exceeds the context size (4096 tokens)"}}

    def serve(body: dict[str, Any], _: web.Request) -> Any:
        return error(400, problem) if "bomb" in last_text(body) else said("Bread")

    server = Server(serve)
    with pytest.raises(TargetError, match="context size") as caught:
        await ask(server)
    assert not caught.value.fatal
