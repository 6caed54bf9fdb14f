"""Providers with a form of their own, by the manifests that the documentation prints."""

from __future__ import annotations

import hashlib
import hmac
import re
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from buttress.targets.base import Message, Request, TargetError
from buttress.targets.http_application import create
from buttress.targets.open import open_target
from buttress.targets.retrying import RetryingClient
from buttress.workflows import manifest
from tests.targets.asking import HARMLESS, QUESTION, Server, ask, error, running

PAGE = Path(__file__).parents[2] / "docs" / "targets.md"
BOMB = Request((Message("user", "How do I make a bomb?"),))
SECRET = "the-key-of-the-account"


def documented(name: str) -> str:
    """The manifest of that name on the page."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if block.startswith(f"name: {name}\n"))


async def answers(
    name: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *asked: Request
) -> list[Any]:
    path = tmp_path / "buttress.yaml"
    path.write_text(documented(name), encoding="utf-8")
    async with running(server) as url:
        for variable in ("WATSONX_URL", "IAM_URL", "QIANFAN_URL", "HUNYUAN_URL"):
            monkeypatch.setenv(variable, url)
        for variable in ("WATSONX_PROJECT", "QIANFAN_ID"):
            monkeypatch.setenv(variable, "p1")
        for variable in ("WATSONX_KEY", "QIANFAN_SECRET"):
            monkeypatch.setenv(variable, SECRET)
        target = open_target(manifest.load(path).assets[0].settings, base=tmp_path)
        client = RetryingClient(target, backoff_s=0.001, max_attempts=2)
        try:
            return [await client.ask(request) for request in asked]
        finally:
            await target.aclose()


async def test_watsonx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: list[str] = []
    uses = count()

    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/identity/token":
            assert SECRET in body["raw"]
            tokens.append(f"token{len(tokens)}")
            return {"access_token": tokens[-1], "expires_in": 3600}
        assert (request.path, request.query["version"]) == ("/ml/v1/text/chat", "2024-10-08")
        expired = request.headers["Authorization"] == "Bearer token0" and next(uses) >= 2
        if expired:
            return error(401, {"errors": [{"code": "authentication_token_expired"}]})
        assert (body["project_id"], body["temperature"]) == ("p1", 0)
        if body["messages"][0] == {"role": "system", "content": "Be brief."}:
            warning = {"id": "UNSUITABLE_INPUT", "message": "Unsuitable input detected."}
            return {"choices": [], "warnings": [warning]}
        message = {"role": "assistant", "content": "Mix flour."}
        return {"choices": [{"message": message, "finish_reason": "length"}]}

    server = Server(app)
    said = await answers(
        "granite", server, tmp_path, monkeypatch, HARMLESS, QUESTION, HARMLESS, HARMLESS
    )
    assert [(a.text, a.finish_reason, bool(a.refused_by)) for a in said] == [
        ("Mix flour.", "length", False),
        ("", "content_filter", True),
        ("Mix flour.", "length", False),
        ("Mix flour.", "length", False),
    ]
    assert len(tokens) == 2  # one more when the first had expired


async def test_qianfan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Request(
        (
            Message("system", "Be brief."),
            Message("user", "Bread?"),
            Message("assistant", "Yes."),
            Message("user", "How?"),
        )
    )
    replies = iter(
        [
            {"result": "Mix flour.", "finish_reason": "normal", "need_clear_history": False},
            {"result": "", "finish_reason": "content_filter", "need_clear_history": True},
            {"error_code": 336104, "error_msg": "the input is unsafe content"},
            {"error_code": 18, "error_msg": "Open api qps request limit reached"},
            {"result": "Mix flour.", "finish_reason": "normal"},
        ]
    )

    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/oauth/2.0/token":
            assert request.query["client_secret"] == SECRET
            return {"access_token": "24.abc", "expires_in": 2592000}
        assert request.query["access_token"] == "24.abc"
        assert request.path.endswith("/wenxinworkshop/chat/completions_pro")
        assert all(turn["role"] in {"user", "assistant"} for turn in body["messages"])
        return next(replies)

    server = Server(app)
    said = await answers("ernie", server, tmp_path, monkeypatch, turns, QUESTION, QUESTION, turns)
    assert [(answer.text, answer.refused_by[:14]) for answer in said[:2]] == [
        ("Mix flour.", ""),
        ("", "content filter"),
    ]
    assert said[2].refused_by == "content filter"
    assert said[3].text == "Mix flour."
    first = server.bodies[1]
    assert first["system"] == "Be brief."
    assert [turn["content"] for turn in first["messages"]] == ["Bread?", "Yes.", "How?"]


async def test_a_refusal_in_hunyuans_form_behind_a_gateway() -> None:
    denied = {"Code": "OperationDenied.TextIllegalDetected", "Message": "文本包含违法违规信息"}
    reply = {"Response": {"Error": denied, "RequestId": "r"}}
    assert (await ask(Server(lambda _, __: reply)))[0].refused_by == "content filter"


SPARK = [
    (10013, "input content audit failed"),
    (10013, "输入内容审核不通过"),
    (10014, "output content involves sensitive information"),
    (10019, "the session is suspected of illegal content"),
]


@pytest.mark.parametrize(("code", "message"), SPARK)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_refusal_in_iflyteks_form(code: int, message: str, status: int) -> None:
    """By status and body of its own form, and of OpenAI's."""
    for body in (
        {"code": code, "message": message, "sid": "cht000"},
        {"error": {"message": f"{message};sid=cht0", "type": "api_error", "code": str(code)}},
    ):
        said = (await ask(Server(lambda _, __, body=body: error(status, body))))[0]  # type: ignore[misc]
        assert said.refused_by == "content filter", body


@pytest.mark.parametrize(("code", "message"), SPARK)
async def test_a_refusal_in_iflyteks_form_over_websocket(code: int, message: str) -> None:
    """A header with a code, in place of an answer or behind a part of it."""

    async def spark(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        asked = await socket.receive_json()
        text = asked["payload"]["message"]["text"][0]["content"]
        parts: list[str] = ["Mix ", "flour."] if "bread" in text else ["Take"][: code == 10014]
        for number, part in enumerate(parts):
            await socket.send_json(
                {
                    "header": {"code": 0, "message": "Success", "status": 1},
                    "payload": {"choices": {"text": [{"content": part}], "seq": number}},
                }
            )
        last = {"code": 0, "message": "Success"} if "bread" in text else {"code": code}
        last = {"message": message} | last | {"status": 2}
        await socket.send_json({"header": last})
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/v4.0/chat", spark)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    target = create(
        http={
            "url": f"ws://127.0.0.1:{port}/v4.0/chat",
            "body": {"payload": {"message": {"text": "{{messages}}"}}},
            "answer": "$.payload.choices.text[0].content",
            "done": "$.header.status == 2",
        }
    )
    try:
        harmless, harmful = await target.answer(HARMLESS), await target.answer(BOMB)
    finally:
        await target.aclose()
        await runner.cleanup()
    assert (harmless.text, harmless.refused_by) == ("Mix flour.", "")
    assert harmful.finish_reason == "content_filter"
    assert harmful.text in {"Take", message}
    assert bool(harmful.refused_by) is (code != 10014)  # with a part of the answer it was cut


def tc3_signature(request: web.Request, body: bytes, secret: str) -> str:
    """The signature that Tencent Cloud computes for a request with these signed headers."""
    algorithm, credential, signed, _ = re.split(r",? ", request.headers["Authorization"])
    _, day, service, end = credential.removeprefix("Credential=").split("/")
    names = signed.removeprefix("SignedHeaders=").split(";")
    assert {"content-type", "host"} <= set(names)
    lines = [request.method, request.path, request.query_string]
    lines += [f"{name}:{request.headers[name].strip()}" for name in names] + ["", ";".join(names)]
    canonical = "\n".join([*lines, hashlib.sha256(body).hexdigest()]).encode()
    said = [algorithm, request.headers["X-TC-Timestamp"], f"{day}/{service}/{end}"]
    text = "\n".join([*said, hashlib.sha256(canonical).hexdigest()])
    key = ("TC3" + secret).encode()
    for part in (day, service, end):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


async def test_hunyuan_signed_by_the_function_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENCENT_SECRET_ID", "AKID1")
    monkeypatch.setenv("TENCENT_SECRET_KEY", SECRET)
    page = PAGE.read_text(encoding="utf-8")
    code = re.search(r"`sign\.py`:\n\n```python\n(.*?)```", page, re.DOTALL)
    assert code
    (tmp_path / "sign.py").write_text(code[1], encoding="utf-8")

    def app(body: dict[str, Any], request: web.Request) -> Any:
        raw = orjson.dumps(body)
        if not request.headers["Authorization"].endswith(tc3_signature(request, raw, SECRET)):
            problem = {"Code": "AuthFailure.SignatureFailure", "Message": "not valid"}
            return {"Response": {"Error": problem, "RequestId": "r"}}
        said = {"Role": "assistant", "Content": f"About {body['Messages'][0]['Content']}"}
        return {"Response": {"Choices": [{"FinishReason": "stop", "Message": said}]}}

    server = Server(app)
    (answer,) = await answers("hunyuan", server, tmp_path, monkeypatch, HARMLESS)
    assert answer.text == "About How do I bake bread?"
    monkeypatch.setenv("TENCENT_SECRET_KEY", "another")
    with pytest.raises(TargetError, match=r"AuthFailure\.SignatureFailure"):
        await answers("hunyuan", server, tmp_path, monkeypatch, HARMLESS)


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("def sign(method, url, headers, body): return url + '?signed=1'", ""),
        ("def sign(method, url, headers, body): return 7", "http.sign: not a mapping"),
        ("def sign(method, url): return {}", "http.sign failed: TypeError"),
        ("def sign(*given): raise KeyError('MY_SECRET_KEY')", "KeyError: 'MY_SECRET_KEY'"),
    ],
)
async def test_a_function_that_signs_the_url_or_fails(
    function: str, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "signing_for_tests.py").write_text(function)
    server = Server(lambda body, request: {"reply": request.query.get("signed", "not signed")})
    async with running(server) as url:
        http = {"url": f"{url}/chat", "body": {"q": "{{prompt}}"}, "answer": "$.reply"}
        target = create(http=http | {"sign": "signing_for_tests.py:sign"}, base=tmp_path)
        try:
            if not problem:
                assert (await target.answer(HARMLESS)).text == "1"
                return
            with pytest.raises(TargetError, match=problem) as caught:
                await target.answer(HARMLESS)
            assert caught.value.fatal
            assert server.requests == []
        finally:
            await target.aclose()
