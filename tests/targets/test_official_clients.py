"""Servers of a provider's shape, believed because its official client reads them as well."""

from __future__ import annotations

from typing import Any

import pytest

from buttress.targets.endpoint import create
from tests.targets.asking import HARMLESS, Server, running

MESSAGES = [{"role": "user", "content": "How do I bake bread?"}]


async def test_a_server_of_ollama_s_shape() -> None:
    ollama = pytest.importorskip("ollama")
    reply = {
        "model": "m", "created_at": "2026-01-01T00:00:00Z", "done": True, "done_reason": "stop",
        "message": {"role": "assistant", "content": "Mix."}, "prompt_eval_count": 6,
        "eval_count": 2,
    }  # fmt: skip
    server = Server(lambda _, __: reply)
    async with running(server) as url:
        client = ollama.AsyncClient(host=url)
        theirs: Any = await client.chat(model="m", messages=MESSAGES)
        target = create(endpoint=url, api="ollama", model="m")
        ours = await target.answer(HARMLESS)
        await target.aclose()
        await client._client.aclose()
    assert ours.text == theirs.message.content == "Mix."
    assert (ours.prompt_tokens, ours.completion_tokens) == (6, 2)
    assert (theirs.prompt_eval_count, theirs.eval_count) == (6, 2)
    first, second = server.requests
    assert (first.method, first.path) == (second.method, second.path)
    for field in ("model", "messages", "stream"):
        assert server.bodies[0][field] == server.bodies[1][field]


async def test_a_server_of_anthropic_s_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    anthropic = pytest.importorskip("anthropic")
    monkeypatch.setenv("SOME_KEY", "key-123456")
    reply = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Mix."}], "stop_reason": "end_turn",
        "stop_sequence": None, "usage": {"input_tokens": 6, "output_tokens": 2},
    }  # fmt: skip
    server = Server(lambda _, __: reply)
    async with running(server) as url:
        async with anthropic.AsyncAnthropic(base_url=url, api_key="key-123456") as client:
            theirs: Any = await client.messages.create(model="m", max_tokens=160, messages=MESSAGES)
        target = create(endpoint=url, api="anthropic", model="m", api_key_env="SOME_KEY")
        ours = await target.answer(HARMLESS)
        await target.aclose()
    assert ours.text == theirs.content[0].text == "Mix."
    assert (ours.prompt_tokens, ours.completion_tokens) == (6, 2)
    first, second = server.requests
    assert (first.method, first.path) == (second.method, second.path)
    assert "anthropic-version" in first.headers
    assert second.headers["anthropic-version"] == "2023-06-01"
    assert second.headers["x-api-key"] == "key-123456"
    for field in ("model", "max_tokens", "messages"):
        assert server.bodies[0][field] == server.bodies[1][field]
