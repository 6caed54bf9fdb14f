"""Filters that say so inside an application's own reply, in the words of the model behind it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from buttress.targets.stated_reason import stated_reason
from tests.targets.asking import ask_application

GEMINI = "$.candidates[0].content.parts[0].text"


@pytest.mark.parametrize(
    ("reply", "answer", "reason"),
    [
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, GEMINI, "prohibited_content"),
        ({"candidates": [{"finishReason": "SAFETY", "safetyRatings": []}]}, GEMINI, "safety"),
        ({"content": [], "stop_reason": "refusal"}, "$.content[*].text", "refusal"),
        ({"result": "", "finish_reason": "content_filter"}, "$.result", "content_filter"),
        (
            {"output": {"message": {"content": []}}, "stopReason": "guardrail_intervened"},
            "$.output.message.content[0].text",
            "guardrail_intervened",
        ),
        (
            {"message": {"content": []}, "finish_reason": "ERROR_TOXIC"},
            "$.message.content[0].text",
            "error_toxic",
        ),
        ({"reply": {"text": None}, "trace": [{"FinishReason": "sensitive"}]}, "$.reply.text", ""),
        ({"reply": None, "moderation": {"flagged": True}}, "$.reply", ""),
    ],
)
async def test_a_filter_that_took_the_answer_out_refuses(
    reply: dict[str, Any], answer: str, reason: str
) -> None:
    said = (await ask_application(lambda _, __: reply, answer=answer))[0]
    assert said.refused_by.startswith("content filter")
    assert reason in said.refused_by
    assert not said.text


async def test_a_filter_that_took_all_of_a_stream_refuses() -> None:
    events = [{"delta": {"text": ""}}, {"delta": {}, "stop_reason": "refusal"}, {"usage": {}}]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)

    def app(_: Any, __: web.Request) -> web.Response:
        return web.Response(text=body, content_type="text/event-stream")

    said = (await ask_application(app, answer="$.delta.text"))[0]
    assert (said.text, said.refused_by) == ("", "content filter: refusal")


@pytest.mark.parametrize(
    ("reason", "read"),
    [("max_tokens", "length"), ("MAX_TOKENS", "length"), ("end_turn", "end_turn"), (None, "stop")],
)
async def test_a_cut_answer_says_so(reason: str | None, read: str) -> None:
    reply = {"reply": "Mix flour", "meta": {"stop_reason": reason}}
    said = (await ask_application(lambda _, __: reply))[0]
    assert (said.text, said.finish_reason, said.refused_by) == ("Mix flour", read, "")


async def test_what_a_filter_leaves_is_for_the_judge() -> None:
    reply = {"reply": "Mix flour and", "finish_reason": "content_filter"}
    said = (await ask_application(lambda _, __: reply))[0]
    assert (said.text, said.finish_reason, said.refused_by) == (
        "Mix flour and",
        "content_filter",
        "",
    )


def test_no_reason_and_depth() -> None:
    deep: Any = {"finish_reason": "stop"}
    for _ in range(200):
        deep = {"a": [deep]}
    assert stated_reason(deep) == ""
    assert stated_reason({"finish_reason": None, "stop_reason": 3}) == ""
    assert stated_reason("finish_reason: safety") == ""
