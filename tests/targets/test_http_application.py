"""Applications in their own JSON, with sessions, cookies, histories, forms, streams, sockets."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import WSMsgType, web

from buttress.errors import InputError
from buttress.targets import endpoint
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.http_application import create
from buttress.targets.retrying import RetryingClient
from tests.targets.asking import HARMLESS, Server, error, running

TURNS = Request((Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Bread?")))


async def ask(
    server: Server, http: dict[str, Any], *requests: Request, path: str = "/chat"
) -> list[Answer]:
    async with running(server) as url:
        settings = json.loads(json.dumps(http).replace("@", url))
        target = create(http={"url": url + path} | settings)
        try:
            return [await target.answer(request) for request in requests or (HARMLESS,)]
        finally:
            await target.aclose()


async def test_a_login_gives_the_token_of_each_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "correct horse")
    known: list[str] = []

    def shop(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/login":
            assert body == {"user": "u", "password": "correct horse"}
            known.append(f"token-{len(known)}")
            return {"token": known[-1]}
        if request.headers.get("X-Auth") not in known:
            return error(401, {"error": "no session"})
        return {"data": {"reply": f"{body['q']} in {body['sid']}"}}

    http = {
        "headers": {"X-Auth": "{{session}}"},
        "body": {"q": "{{prompt}}", "sid": "{{session}}"},
        "answer": "$.data.reply",
        "session": {
            "url": "@/login",
            "body": {"user": "u", "password": "${PASSWORD}"},
            "token": "$.token",
        },
    }
    server = Server(shop)
    answers = await ask(server, http, HARMLESS, HARMLESS)
    assert [body["sid"] for body in server.bodies if "sid" in body] == ["token-0", "token-1"]
    # What opens a session is a secret, also where the application says it.
    assert {answer.text for answer in answers} == {"How do I bake bread? in [key]"}
    http["session"] |= {"keep": True}
    known.clear()
    server = Server(shop)
    await ask(server, http, HARMLESS, HARMLESS)
    assert [body["sid"] for body in server.bodies if "sid" in body] == ["token-0", "token-0"]


async def test_a_session_in_cookies() -> None:
    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/login":
            response = web.Response()
            response.set_cookie("sid", "7")
            return response
        return {"reply": request.cookies.get("sid", "none")}

    http = {"body": {"q": "{{prompt}}"}, "answer": "$.reply", "session": {"url": "@/login"}}
    assert (await ask(Server(app), http))[0].text == "7"


async def test_cookies_belong_to_one_question() -> None:
    """An application that remembers by a cookie must not mix the questions in flight."""
    seen: dict[str, list[str]] = {}

    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/login":
            response = web.Response()
            response.set_cookie("sid", f"visitor-{len(seen)}")
            seen[f"visitor-{len(seen)}"] = []
            return response
        mine = seen[request.cookies["sid"]]
        mine.append(body["q"])
        return {"reply": " | ".join(mine)}

    http = {"body": {"q": "{{prompt}}"}, "answer": "$.reply", "session": {"url": "@/login"}}
    questions = [Request((Message("user", f"Question {n}?"),)) for n in range(8)]
    async with running(Server(app)) as url:
        settings = json.loads(json.dumps(http).replace("@", url))
        target = create(http={"url": f"{url}/chat"} | settings)
        answers = await asyncio.gather(*map(target.answer, [*questions, TURNS]))
        await target.aclose()
    assert [answer.text for answer in answers] == [
        *(f"Question {n}?" for n in range(8)),
        "Hi | Bread?",
    ]


OVER = {
    "401": lambda: web.Response(status=401),
    "a redirect": lambda: web.Response(status=302, headers={"Location": "/login"}),
    "403 in words": lambda: error(403, {"error": "token expired"}),
    "400 in words": lambda: error(400, {"message": "Invalid or expired session"}),
    "404 in words": lambda: error(404, {"detail": "session not found"}),
    "200 in words": lambda: web.json_response({"code": 1001, "msg": "登录已过期，请重新登录"}),
}


@pytest.mark.parametrize("over", OVER.values(), ids=OVER)
async def test_a_session_that_is_kept_is_begun_anew_when_it_ends(
    over: Callable[[], web.Response],
) -> None:
    left: dict[str, int] = {}

    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/login":
            left[f"token-{len(left)}"] = 3
            return {"token": f"token-{len(left) - 1}"}
        token = request.headers["X-Auth"]
        if not left[token]:
            return over()
        left[token] -= 1
        return {"reply": body["q"]}

    http = {
        "headers": {"X-Auth": "{{session}}"},
        "body": {"q": "{{prompt}}"},
        "answer": "$.reply",
        "session": {"url": "@/login", "token": "$.token", "keep": True},
    }
    questions = [Request((Message("user", f"Question {n}?"),)) for n in range(10)]
    async with running(Server(app)) as url:
        settings = json.loads(json.dumps(http).replace("@", url))
        target = create(http={"url": f"{url}/chat"} | settings)
        client = RetryingClient(target, backoff_s=0.001, max_attempts=2)
        answers = await asyncio.gather(*map(client.ask, questions))
        await target.aclose()
    assert [answer.text for answer in answers] == [f"Question {n}?" for n in range(10)]
    assert len(left) == 4


async def test_a_session_in_several_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form whose page holds a token against forged requests, then the login, then the chat."""
    monkeypatch.setenv("PASSWORD", "correct horse")

    def app(body: dict[str, Any], request: web.Request) -> Any:
        if (request.method, request.path) == ("GET", "/login"):
            page = web.Response(text="<input name='csrf' value='tok987'>", content_type="text/html")
            page.set_cookie("form", "1")
            return page
        if request.path == "/login":
            if body["raw"] != "csrf=tok987&p=correct+horse" or "form" not in request.cookies:
                return error(403, {"detail": "CSRF verification failed"})
            entered = web.Response(status=302, headers={"Location": "/home"})
            entered.set_cookie("sid", "session-1")
            return entered
        if request.cookies.get("sid") != "session-1":
            return error(401, {"detail": "sign in"})
        return {"reply": body["q"]}

    form = {"csrf": "{{session}}", "p": "${PASSWORD}"}
    session = [
        {"url": "@/login", "token": r"regex:value='(\w+)'"},
        {"url": "@/login", "form": form},
    ]
    http = {"body": {"q": "{{prompt}}"}, "answer": "$.reply", "session": session}
    (answer,) = await ask(Server(app), http)
    assert answer.text == "How do I bake bread?"


async def test_a_login_that_is_wrong_ends_it_at_once() -> None:
    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/login":
            return {"token": "token-0"}
        return error(401, {"detail": "unknown user"})

    http = {
        "body": {"q": "{{prompt}}"}, "answer": "$.reply",
        "session": {"url": "@/login", "token": "$.token", "keep": True},
    }  # fmt: skip
    with pytest.raises(TargetError, match="unknown user") as raised:
        await ask(Server(app), http)
    assert raised.value.fatal
    assert not raised.value.adapted


@pytest.mark.parametrize("secret", ["correct%20horse", "pw"])
async def test_a_password_in_a_url_goes_into_a_header_and_is_shown_nowhere(secret: str) -> None:
    heard: list[str] = []

    def app(body: dict[str, Any], request: web.Request) -> Any:
        heard.append(request.headers.get("Authorization", ""))
        return error(500, {"message": f"broken for {heard[-1]}"})

    async with running(Server(app)) as url:
        place = url.replace("://", f"://tester:{secret}@") + "/chat"
        http = {"url": place, "body": {"q": "{{prompt}}"}, "answer": "$.reply"}
        for target in (create(http=http), endpoint.create(endpoint=place, model="m")):
            with pytest.raises(TargetError) as raised:
                await target.answer(HARMLESS)
            shown = f"{raised.value} {target.name} {target.identity}"
            assert secret not in shown.replace("http", "")
            assert heard[-1].removeprefix("Basic ") not in shown
            await target.aclose()
    expected = b64encode(f"tester:{unquote(secret)}".encode()).decode()
    assert heard == [f"Basic {expected}"] * 2


async def test_where_earlier_turns_go() -> None:
    def app(body: dict[str, Any], _: web.Request) -> Any:
        return {"reply": "ok"}

    server = Server(app)
    await ask(server, {"body": {"q": "{{prompt}}", "h": "{{history}}"}, "answer": "$.reply"}, TURNS)
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert server.bodies == [{"q": "Bread?", "h": history}]
    server = Server(app)
    (answer,) = await ask(server, {"body": {"q": "{{prompt}}"}, "answer": "$.reply"}, TURNS)
    assert [body["q"] for body in server.bodies] == ["Hi", "Bread?"]
    assert answer.calls == 2


async def test_forms_queries_and_text() -> None:
    def app(body: dict[str, Any], request: web.Request) -> Any:
        return web.Response(text=str(body.get("raw") or request.query.get("q")))

    prompt = Request((Message("user", 'a "b" & c\n好'),))
    (form,) = await ask(Server(app), {"form": {"q": "{{prompt}}"}}, prompt)
    assert form.text == "q=a+%22b%22+%26+c%0A%E5%A5%BD"
    (query,) = await ask(Server(app), {}, prompt, path="/chat?q={{prompt}}")
    assert query.text == 'a "b" & c\n好'
    server = Server(lambda body, _: {"reply": body["q"]})
    (text,) = await ask(server, {"body": '{"q": "{{prompt}}"}', "answer": "$.reply"}, prompt)
    assert text.text == 'a "b" & c\n好'


async def test_an_answer_in_pieces() -> None:
    lines = [{"t": "Mi"}, {"t": "x."}, {"done": True}]
    text = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"
    server = Server(lambda _, __: web.Response(text=text, content_type="text/event-stream"))
    assert (await ask(server, {"body": {"q": "{{prompt}}"}, "answer": "$.t"}))[0].text == "Mix."
    plain = "data: Mi\n\ndata: x.\n\n"
    server = Server(lambda _, __: web.Response(text=plain, content_type="text/event-stream"))
    assert (await ask(server, {"body": {"q": "{{prompt}}"}}))[0].text == "Mix."


async def test_a_refusal_that_the_application_marks_or_gives_as_an_error() -> None:
    http = {"body": {"q": "{{prompt}}"}, "answer": "$.reply", "refused": "$.blocked"}
    server = Server(lambda _, __: {"blocked": True, "reply": None})
    assert (await ask(server, http))[0].refused_by == "application"
    server = Server(lambda _, __: error(400, {"reply": "We can't talk about that."}))
    assert (await ask(server, http))[0].text == "We can't talk about that."
    server = Server(lambda _, __: {"blocked": False, "reply": "Mix."})
    assert (await ask(server, http))[0].refused_by == ""


async def test_a_wrong_path_is_told_with_what_is_there() -> None:
    server = Server(lambda _, __: {"data": {"text": "Mix."}, "id": 7})
    with pytest.raises(TargetError, match=r"no \$\.data\.reply; it has \$\.data\.text") as caught:
        await ask(server, {"body": {"q": "{{prompt}}"}, "answer": "$.data.reply"})
    assert caught.value.fatal


@asynccontextmanager
async def socket_server() -> AsyncIterator[str]:
    async def chat(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        message = await socket.receive()
        assert message.type is WSMsgType.TEXT
        for piece in (json.loads(message.data)["q"][:3], "!"):
            await socket.send_json({"text": piece})
        await socket.send_json({"end": True})
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/chat", chat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"ws://{host}:{port}/chat"
    finally:
        await runner.cleanup()


async def test_a_websocket() -> None:
    async with socket_server() as url:
        body = {"q": "{{prompt}}"}
        http = {"url": url, "body": body, "answer": "$.text", "done": "$.end"}
        target = create(http=http)
        assert (await target.answer(HARMLESS)).text == "How!"
        await target.aclose()


@pytest.mark.parametrize(
    ("http", "field"),
    [
        ({}, "http.url"),
        ({"url": "localhost"}, "http.url"),
        ({"url": "http://h/", "anwser": "$.a"}, "http.anwser"),
        ({"url": "http://h/", "answer": "a.b"}, "http.answer"),
        ({"url": "http://h/", "answer": "$.["}, "http.answer"),
        ({"url": "http://h/", "body": {"q": "{{promt}}"}}, "http.body"),
        ({"url": "http://h/", "body": {"q": "{{prompt}}"}, "form": {}}, "http.form"),
        ({"url": "http://h/", "headers": {"A": "${BUTTRESS_NO_SUCH}"}}, "http.headers.A"),
        ({"url": "http://h/", "method": "BREW"}, "http.method"),
        ({"url": "http://h/", "session": {"keep": True}}, "http.session.url"),
        ({"url": "http://h/", "session": {"token": "regex:a(b)(c)"}}, "http.session.token"),
        ({"url": "http://h/", "session": []}, "http.session"),
        (
            {"url": "http://h/", "session": [{"url": "http://h/"}, {"token": "$.t"}]},
            "http.session[1].url",
        ),
        ({"url": "http://h/", "poll": {"url": "http://h/j"}}, "http.poll.job"),
    ],
)
def test_bad_settings(http: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        create(http=http)
    assert caught.value.field == field
