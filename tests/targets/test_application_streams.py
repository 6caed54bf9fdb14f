"""Streams, sockets and pages of applications: what belongs to the answer, and how it may end."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from buttress.errors import InputError
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.http_application import create
from buttress.targets.retrying import RetryingClient
from tests.targets.asking import HARMLESS, QUESTION, Server, running

Greet = Callable[[web.WebSocketResponse], Awaitable[None]]
Script = Callable[[web.WebSocketResponse, str], Awaitable[None]]
BODY = {"q": "{{prompt}}"}


async def ask(reply: web.Response | Callable[[], web.Response], **http: Any) -> Answer:
    async with running(Server(lambda *_: reply() if callable(reply) else reply)) as url:
        target = create(http={"url": f"{url}/chat", "body": BODY} | http)
        client = RetryingClient(target, backoff_s=0.001, max_attempts=2)
        try:
            return await client.ask(HARMLESS)
        finally:
            await target.aclose()


def events(*pieces: Any) -> Callable[[], web.Response]:
    """A stream of texts, of JSON values, or of pairs of a name and one of these."""
    lines = []
    for piece in pieces:
        name, value = piece if isinstance(piece, tuple) else ("", piece)
        lines += [f"event: {name}"] if name else []
        lines += [f"data: {value if isinstance(value, str) else json.dumps(value)}", ""]
    text = "\n".join([*lines, ""])
    return lambda: web.Response(text=text, content_type="text/event-stream")


def page(text: str, kind: str = "text/html") -> Callable[[], web.Response]:
    return lambda: web.Response(text=text, content_type=kind)


@pytest.mark.parametrize(
    ("reply", "http"),
    [
        pytest.param(events(("token", "Br"), ("token", "ead"), ("done", {})), {}, id="objects"),
        pytest.param(events("Br", "ead", "[END]"), {}, id="another word for the end"),
        pytest.param(events("Br", "ead", "<|eos|>", "more"), {}, id="a mark of the end"),
        pytest.param(events({"text": "Br"}, {"text": "ead"}, '"[DONE]"'), {"answer": "$.text"},
                     id="the end in quotes"),
        pytest.param(
            events(("heartbeat", None), ("generating", ["Bre"]), ("complete", ["Bread"])),
            {"answer": "$[0]"},
            id="Gradio",
        ),
        pytest.param(
            events({"event": "message", "answer": "Sure, "},
                   {"event": "message_replace", "answer": "Bread"},
                   {"event": "message_end"}),
            {"answer": "$.answer"},
            id="moderation that replaces",
        ),
        pytest.param(
            events({"type": "TOOL_CALL_ARGS", "delta": "{}"},
                   {"type": "TEXT_MESSAGE_CONTENT", "delta": "Br"},
                   {"type": "TEXT_MESSAGE_CONTENT", "delta": "ead"}),
            {"answer": "$.delta", "pieces": "$.type == TEXT_MESSAGE_CONTENT"},
            id="pieces of one kind",
        ),
        pytest.param(
            events({"type": "tool", "error": "not found"}, {"text": "Bread"}, {"usage": 3}),
            {"answer": "$.text"},
            id="an error on the way",
        ),
        pytest.param(page('<p>Hi</p><div class="bot">B<b>rea</b>d</div>'),
                     {"answer": 'regex:class="bot">(.*?)</div>'}, id="a page"),
        pytest.param(page("<reply><text>Bread</text></reply>", "text/xml"),
                     {"answer": "regex:<text>(.*?)</text>"}, id="XML"),
        pytest.param(page("> asked\n< Bread\n", "text/plain"),
                     {"answer": "regex:< (.*?)\n"}, id="lines"),
        pytest.param(page("<div>Bread</div>"), {}, id="a part of a page"),
    ],
)  # fmt: skip
async def test_the_answer(reply: Any, http: dict[str, Any]) -> None:
    text = (await ask(reply, **http)).text
    assert text.replace(" ", "") == "Bread"


async def test_numbers_among_the_tokens_keep_their_place() -> None:
    said = await ask(events("It takes ", "42", " minutes, ", "null", " eggs"))
    assert said.text == "It takes 42 minutes, null eggs"


def packed(*pieces: bytes) -> Callable[[], web.Response]:
    lines = [json.dumps({"chunk": base64.b64encode(piece).decode()}) for piece in pieces]
    return lambda: web.Response(text="\n".join(lines), content_type="application/x-ndjson")


async def test_pieces_in_base64_are_read() -> None:
    text = "First knead the dough, 然后烤面包。".encode()
    said = await ask(packed(text[:8], text[8:25], text[25:]), answer="$.chunk")
    assert said.text == text.decode()


async def test_base64_that_a_model_writes_stays() -> None:
    written = base64.b64encode(b"Bake the bread slowly.").decode()
    pieces = [{"chunk": written[at : at + 5]} for at in range(0, len(written), 5)]
    said = await ask(events(*pieces), answer="$.chunk")
    assert said.text == written


async def test_messages_in_a_list_stand_on_lines() -> None:
    listed = [{"text": "Bread needs flour."}, {"text": "It needs water, too."}]
    said = await ask(lambda: web.json_response(listed), answer="$[*].text")
    assert said.text == "Bread needs flour.\nIt needs water, too."


async def test_entities_of_a_page_are_letters() -> None:
    said = await ask(page("<div>Salt &amp; flour &lt;3</div>"))
    assert said.text == "Salt & flour <3"


@pytest.mark.parametrize(
    "last",
    [
        {"event": "error", "status": 400, "message": "quota"},
        {"error": "the model is down"},
        {"type": "error", "detail": "overloaded"},
    ],
)
async def test_a_stream_that_ends_with_an_error_is_no_answer(last: Any) -> None:
    reply = events({"answer": "Br"}, last)
    with pytest.raises(TargetError, match="the stream ended with an error"):
        await ask(reply, answer="$.answer")


@pytest.mark.parametrize(
    "reply",
    [
        {"code": 500, "msg": "internal error", "answer": ""},
        {"statusCode": 503, "message": "no capacity", "answer": None},
    ],
)
async def test_a_status_inside_the_reply(reply: Any) -> None:
    with pytest.raises(TargetError, match=r"internal error|no capacity") as caught:
        await ask(lambda: web.json_response(reply), answer="$.answer")
    assert caught.value.retry


async def test_what_the_expression_does_not_find_is_told() -> None:
    with pytest.raises(TargetError, match="nothing in the reply matches regex:<bot>"):
        await ask(page("<p>Hi</p>"), answer="regex:<bot>(.*?)</bot>")
    for wrong in ("regex:(", "regex:abc"):
        with pytest.raises(InputError) as caught:
            create(http={"url": "http://h/", "body": BODY, "answer": wrong})
        assert caught.value.field == "http.answer"


@asynccontextmanager
async def socket(script: Script, greet: Greet | None = None) -> AsyncIterator[str]:
    async def chat(request: web.Request) -> web.WebSocketResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        await opened.send_json({"type": "welcome", "text": "Hi, I am a bot."})
        if greet is not None:
            await greet(opened)
        message = await opened.receive()
        if message.type is not WSMsgType.TEXT:
            return opened
        await script(opened, message.data)
        await opened.receive()
        return opened

    app = web.Application()
    app.router.add_get("/chat", chat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/chat"
    finally:
        await runner.cleanup()


async def over(
    script: Script, *requests: Request, greet: Greet | None = None, **more: Any
) -> list[Answer]:
    async with socket(script, greet) as url:
        http = {"url": url, "body": BODY, "answer": "$.text", "pieces": "$.type == message"}
        target = create(http=http | more)
        client = RetryingClient(target, backoff_s=0.001, max_attempts=2)
        try:
            return [await client.ask(request) for request in requests or (HARMLESS,)]
        finally:
            await target.aclose()


async def slowly(opened: web.WebSocketResponse, _: str) -> None:
    await opened.send_json({"type": "typing"})
    for text in ("Br", "ead"):
        await asyncio.sleep(0.15)
        await opened.send_json({"type": "message", "text": text})


async def test_silence_before_the_answer_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buttress.targets.http_websocket._IDLE_S", 0.05)
    assert (await over(slowly))[0].text == "Br"  # nothing says which message is the last
    assert (await over(slowly, done="$.text == ead"))[0].text == "Bread"


async def test_a_greeting_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the answer takes, and where each connection is greeted in other words."""
    monkeypatch.setattr("buttress.targets.http_websocket._GREETING_S", 0.2)
    monkeypatch.setattr("buttress.targets.http_websocket._IDLE_S", 0.05)
    visitors = 0

    async def greet(opened: web.WebSocketResponse) -> None:
        nonlocal visitors
        visitors += 1
        await opened.send_json({"type": "hello", "id": visitors})
        await opened.send_json({"type": "message", "text": f"Visitor {visitors}, how can I help?"})

    async def script(opened: web.WebSocketResponse, question: str) -> None:
        await asyncio.sleep(0.1)
        await opened.send_json({"type": "message", "text": f"You asked: {question}"})

    answers = await over(script, HARMLESS, HARMLESS, greet=greet)
    assert [json.loads(a.text.removeprefix("You asked: "))["q"] for a in answers] == [
        HARMLESS.messages[-1].content
    ] * 2
    assert visitors == 3  # one only to hear the greeting


async def test_a_socket_that_is_closed_for_a_policy() -> None:
    async def script(opened: web.WebSocketResponse, question: str) -> None:
        if "bomb" in question:
            await opened.close(code=1008)
        else:
            await opened.send_json({"type": "message", "text": "Bread"})
            await opened.close()

    answers = await over(script, HARMLESS, QUESTION)
    assert [answer.refused_by for answer in answers] == ["", "firewall"]


async def test_a_socket_that_is_closed_by_a_failure() -> None:
    async def script(opened: web.WebSocketResponse, _: str) -> None:
        await opened.close(code=1011)

    with pytest.raises(TargetError, match="1011 internal error") as caught:
        await over(script)
    assert caught.value.retry
