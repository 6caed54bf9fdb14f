"""The providers' own APIs, against servers of their shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from buttress.targets.base import Message, Request, TargetError
from buttress.targets.endpoint import create
from buttress.targets.signature_v4 import RequestSigner
from tests.targets.asking import QUESTION, Server, ask, error, said

TURNS = Request(
    (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "Bread?"),
    )
)


async def one(
    reply: Any, path: str, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> tuple[Any, Server]:
    monkeypatch.setenv("SOME_KEY", "key-123456")
    server = Server(lambda _, __: reply)
    (answer,) = await ask(server, TURNS, path=path, api_key_env="SOME_KEY", **settings)
    return answer, server


async def test_anthropic(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = {
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Mix."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "cache_read_input_tokens": 2, "output_tokens": 3},
    }
    answer, server = await one(reply, "", monkeypatch, api="anthropic")
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Mix.", "Hm.", "stop")
    assert (answer.prompt_tokens, answer.completion_tokens) == (11, 3)
    request, body = server.requests[0], server.bodies[0]
    assert request.path == "/v1/messages"
    assert request.headers["x-api-key"] == "key-123456"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert body["system"] == "Be brief."
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    for content in ([], None):
        refused = {"content": content, "stop_reason": "refusal", "usage": {}}
        answer, _ = await one(refused, "/v1/messages", monkeypatch)
        assert answer.refused_by == "refusal field"


async def test_anthropic_as_a_stream_and_overloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 5}}},
        {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Mi"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x."}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens"},
            "usage": {"output_tokens": 2},
        },
    ]
    text = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
    replies = [
        error(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}),
        web.Response(text=text, content_type="text/event-stream"),
    ]
    server = Server(lambda _, __: replies.pop(0))
    (answer,) = await ask(server, path="/v1/messages")
    assert (answer.text, answer.finish_reason, answer.completion_tokens) == ("Mix.", "length", 2)


async def test_gemini(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = {
        "candidates": [
            {
                "content": {"parts": [{"text": "Hm.", "thought": True}, {"text": "Mix."}]},
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 8,
            "candidatesTokenCount": 2,
            "thoughtsTokenCount": 4,
        },
    }
    answer, server = await one(reply, "/v1beta", monkeypatch, api="gemini", model="gemini-x")
    assert (answer.text, answer.reasoning, answer.completion_tokens) == ("Mix.", "Hm.", 6)
    assert server.requests[0].path == "/v1beta/models/gemini-x:generateContent"
    assert server.requests[0].headers["x-goog-api-key"] == "key-123456"
    body = server.bodies[0]
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user"]
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["generationConfig"] == {"maxOutputTokens": 160, "temperature": 0.0}
    for refused in (
        {"promptFeedback": {"blockReason": "SAFETY"}},
        {"candidates": [{"finishReason": "SAFETY"}]},
        {"candidates": [{"content": {}, "finishReason": "PROHIBITED_CONTENT"}]},
    ):
        answer, _ = await one(refused, "/v1beta", monkeypatch, api="gemini")
        assert answer.refused_by.startswith("content filter")


async def test_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = {
        "message": {"role": "assistant", "content": "Mix.", "thinking": "Hm."},
        "done_reason": "length",
        "prompt_eval_count": 6,
        "eval_count": 2,
    }
    answer, server = await one(reply, "/api/chat", monkeypatch)
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Mix.", "Hm.", "length")
    assert (answer.prompt_tokens, answer.completion_tokens) == (6, 2)
    assert server.bodies[0]["options"] == {"num_predict": 160, "temperature": 0.0, "seed": 0}
    assert server.bodies[0]["stream"] is False
    lines = [{"message": {"content": "Mi"}}, {"message": {"content": "x."}, "done_reason": "stop"}]
    text = "\n".join(map(json.dumps, lines))
    streamed = web.Response(text=text, content_type="application/x-ndjson")
    answer, _ = await one(streamed, "", monkeypatch, api="ollama")
    assert (answer.text, answer.finish_reason) == ("Mix.", "stop")


async def test_openai_responses(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = {
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"type": "message", "content": [{"type": "output_text", "text": "Mix."}]},
        ],
        "status": "completed",
        "usage": {"input_tokens": 5, "output_tokens": 2},
    }
    answer, server = await one(reply, "/v1/responses", monkeypatch)
    assert (answer.text, answer.reasoning, answer.prompt_tokens) == ("Mix.", "Hm.", 5)
    assert server.bodies[0]["max_output_tokens"] == 160
    assert server.bodies[0]["input"][0] == {"role": "system", "content": "Be brief."}
    said = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
    answer, _ = await one({"output": [said]}, "/v1/responses", monkeypatch)
    assert (answer.text, answer.refused_by) == ("No.", "refusal field")
    failed = {"status": "failed", "output": []}
    blocked = failed | {"error": {"code": "invalid_prompt", "message": "Invalid prompt"}}
    answer, _ = await one(blocked, "/v1/responses", monkeypatch)
    assert answer.refused_by == "content filter"
    broken = failed | {"error": {"code": "server_error", "message": "it broke"}}
    with pytest.raises(TargetError, match="it broke"):
        await one(broken, "/v1/responses", monkeypatch)


async def test_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = {"choices": [{"message": {"content": "Mix."}, "finish_reason": "stop"}]}
    path = "/openai/deployments/gpt4o?api-version=2024-10-21"
    answer, server = await one(reply, path, monkeypatch, model=None)
    assert answer.text == "Mix."
    assert server.requests[0].path == "/openai/deployments/gpt4o/chat/completions"
    assert server.requests[0].query["api-version"] == "2024-10-21"
    assert server.requests[0].headers["api-key"] == "key-123456"
    assert server.bodies[0]["model"] == "gpt4o"


@pytest.mark.parametrize(
    ("base", "path", "version"),
    [
        ("", "/openai/deployments/gpt4o/chat/completions", "2024-10-21"),
        ("/openai/", "/openai/deployments/gpt4o/chat/completions", "2024-10-21"),
        ("/openai?api-version=2025", "/openai/deployments/gpt4o/chat/completions", "2025"),
        ("/openai/deployments/d", "/openai/deployments/d/chat/completions", "2024-10-21"),
        ("/openai/v1", "/openai/v1/chat/completions", None),
    ],
)
async def test_azure_by_the_address_of_the_resource(
    monkeypatch: pytest.MonkeyPatch, base: str, path: str, version: str | None
) -> None:
    reply = {"choices": [{"message": {"content": "Mix."}, "finish_reason": "stop"}]}
    answer, server = await one(reply, base, monkeypatch, api="azure", model="gpt4o")
    assert answer.text == "Mix."
    assert server.requests[0].path == path
    assert server.requests[0].query.get("api-version") == version


async def test_bedrock(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = {
        "output": {"message": {"content": [{"text": "Mix."}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 4, "outputTokens": 2},
    }
    settings = {"api": "bedrock", "model": "vendor.model-v1:0"}
    answer, server = await one(reply, "", monkeypatch, **settings)
    assert (answer.text, answer.completion_tokens) == ("Mix.", 2)
    assert server.requests[0].raw_path == "/model/vendor.model-v1%3A0/converse"
    assert server.requests[0].headers["Authorization"] == "Bearer key-123456"
    assert server.bodies[0]["inferenceConfig"] == {"maxTokens": 160, "temperature": 0.0}
    blocked = reply | {"stopReason": "guardrail_intervened"}
    assert (await one(blocked, "", monkeypatch, **settings))[0].refused_by == "guardrail"
    masked = {"output": {"message": {"content": [{"text": "Mix. " * 100}]}}}
    long = masked | {"stopReason": "guardrail_intervened"}
    assert (await one(long, "", monkeypatch, **settings))[0].refused_by == ""


def test_bedrock_is_signed_as_the_official_client_signs() -> None:
    auth = pytest.importorskip("botocore.auth")
    awsrequest = pytest.importorskip("botocore.awsrequest")
    credentials = pytest.importorskip("botocore.credentials")
    url = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/vendor.m-v1%3A0/converse"
    body = b'{"messages": []}'
    request = awsrequest.AWSRequest("POST", url, {"Content-Type": "application/json"}, body)
    keys = credentials.Credentials("AKIDEXAMPLE", "secret-example", "token-example")
    auth.SigV4Auth(keys, "bedrock", "eu-west-1").add_auth(request)
    moment = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    signer = RequestSigner(
        "AKIDEXAMPLE", "secret-example", "eu-west-1", "token-example", clock=lambda: moment
    )
    mine = signer.headers(URL(url, encoded=True), body)
    assert mine["Authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("https://x.openai.azure.com/openai/deployments/d", "azure"),
        ("https://api.anthropic.com", "anthropic"),
        ("https://generativelanguage.googleapis.com/v1beta", "gemini"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "openai"),
        ("http://127.0.0.1:11434/api/chat", "ollama"),
        ("http://127.0.0.1:11434/v1", "openai"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", "bedrock"),
        ("https://host/v1/responses", "openai-responses"),
    ],
)
def test_the_api_is_known_by_the_url(url: str, dialect: str) -> None:
    assert create(endpoint=url, model="m")._dialect.id == dialect


async def test_keys_are_nowhere_to_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from buttress.targets.base import TargetError

    monkeypatch.setenv("AZURE_KEY", "0123456789abcdef")
    server = Server(lambda _, r: error(401, {"message": f"Bad key {r.headers['api-key']}"}))
    with pytest.raises(TargetError, match=r"HTTP 401: Bad key \[key\]"):
        await ask(server, QUESTION, headers={"api-key": "${AZURE_KEY}"})
    server = Server(
        lambda _, r: said(f"Your key is {r.headers['api-key']}", reasoning=r.headers["api-key"])
    )
    (answer,) = await ask(server, QUESTION, headers={"api-key": "${AZURE_KEY}"})
    assert (answer.text, answer.reasoning) == ("Your key is [key]", "[key]")
    target = create(
        endpoint="http://h/v1?api_key=${AZURE_KEY}", model="m", extra={"user": "${AZURE_KEY}"}
    )
    assert "0123456789abcdef" not in target.identity + target.name
