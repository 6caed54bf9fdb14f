"""What ``buttress init --model`` writes, filled in, asks a server of that kind."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web

from buttress.cli.main import main
from buttress.system.model_templates import TEMPLATES

USAGE: Final = {"prompt_tokens": 3, "completion_tokens": 2}
KEYS: Final = (
    "OPENAI_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
ELSEWHERE: Final = {  # kinds whose matching part is no server, and where each is asked
    "browser": "tests/targets/test_browser_chat.py",
    "weights": "tests/targets/test_llamacpp.py",
    "inspect": "tests/inspect/test_provider.py",
}


def _said(path: str, question: str) -> dict[str, Any] | None:
    """The reply of the API at ``path``."""
    text = f"You asked: {question}"
    turn = {"role": "assistant", "content": text}
    if path == "/v1/chat/completions" or path.startswith("/openai/deployments/"):
        return {"choices": [{"message": turn, "finish_reason": "stop"}], "usage": USAGE}
    if path == "/v1/responses":
        content = [{"type": "output_text", "text": text}]
        return {"output": [{"type": "message", "content": content}], "status": "completed"}
    if path == "/v1/messages":
        return {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}
    if path.endswith(":generateContent"):
        parts = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}
        return {"candidates": [parts]}
    if path.endswith("/converse"):
        return {"output": {"message": {"content": [{"text": text}]}}, "stopReason": "end_turn"}
    if path == "/api/chat":
        return {"message": turn, "done": True, "done_reason": "stop"}
    return None


async def _answer(request: web.Request) -> web.StreamResponse:
    body = await request.text()
    question = "Ping" if "Ping" in body else ""
    if said := _said(request.path, question):
        return web.json_response(said)
    if request.path == "/login":
        known = json.loads(body) == {"user": "tester", "password": "none"}
        return web.json_response({"token": "t1"} if known else {}, status=200 if known else 401)
    if request.headers.get("Authorization") == "Bearer t1":
        return web.json_response({"data": {"reply": f"You asked: {question}"}})
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    question = json.loads(await socket.receive_str())["question"]
    for piece in ("You asked: ", question):
        await socket.send_json({"type": "token", "text": piece})
    await socket.send_json({"type": "end"})
    return socket


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server on loopback that speaks all of them."""
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", _answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield runner.addresses[0][1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(runner.cleanup())
    loop.close()


def _filled(written: str, port: int) -> str:
    here = f"http://127.0.0.1:{port}"
    for host in (
        "https://api.openai.com",
        "https://RESOURCE.openai.azure.com",
        "https://api.anthropic.com",
        "https://generativelanguage.googleapis.com",
        "https://bedrock-runtime.REGION.amazonaws.com",
        "http://127.0.0.1:8000",
        "http://127.0.0.1:11434",
    ):
        written = written.replace(host, here)
    written = written.replace("ws://127.0.0.1:8000", f"ws://127.0.0.1:{port}")
    return written.replace("DEPLOYMENT", "m").replace("MODEL", "m")


@pytest.mark.parametrize("kind", sorted(TEMPLATES.keys() - ELSEWHERE.keys()))
def test_a_manifest_that_is_filled_in_asks(
    kind: str,
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, "key-1")
    (tmp_path / "app.py").write_text("def answer(prompt):\n    return f'You asked: {prompt}'\n")
    record = {"prompt": "Ping", "response": "You asked: Ping"}
    (tmp_path / "answers.jsonl").write_text(json.dumps(record) + "\n")
    assert main(["init", str(tmp_path), "--no-ports", "--model", kind]) == 0
    manifest = tmp_path / "buttress.yaml"
    manifest.write_text(_filled(manifest.read_text(), port))
    assert main(["ask", str(manifest), "--json", "--prompt", "Ping"]) == 0, capsys.readouterr().err
    shown = capsys.readouterr().out
    assert json.loads(shown[shown.index("{") :])["answer"]["text"] == "You asked: Ping"


def test_a_recording_is_asked_what_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "answers.jsonl").write_text('{"prompt": "Who bakes?", "response": "Ann"}\n')
    assert main(["init", str(tmp_path), "--no-ports", "--model", "replay"]) == 0
    assert main(["ask", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "Who bakes?" in shown
    assert "Ann" in shown
    assert main(["ask", str(tmp_path), "Who sweeps?"]) == 2
    said = capsys.readouterr().err
    assert "no record has this question; the first has 'Who bakes?'" in said
