"""Anthropic's messages API."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from buttress.files.encodable import encodable
from buttress.targets import completion
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.chat import alternating, system_and_turns
from buttress.targets.dialects.base import QuestionForm, with_path
from buttress.targets.refusals import REFUSAL_FIELD, named

_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}


class AnthropicMessages:
    """``POST BASE/v1/messages``."""

    id = "anthropic"
    headers: Mapping[str, str] = {"anthropic-version": "2023-06-01"}

    def url(self, base: URL, model: str, *, stream: bool) -> URL:
        """See ``Dialect``."""
        del model, stream
        path = base.path.rstrip("/")
        return with_path(base, "/messages" if path.endswith("/v1") else "/v1/messages")

    def key_headers(self, key: str) -> Mapping[str, str]:
        """See ``Dialect``."""
        return {"x-api-key": key}

    def body(self, request: Request, model: str, form: QuestionForm) -> dict[str, Any]:
        """See ``Dialect``."""
        system, turns = system_and_turns(request.messages)
        if form.merge_system:
            system, turns = "", alternating(request.messages)
        body: dict[str, Any] = {
            "model": model,
            "max_tokens": form.tokens(request),
            "messages": [{"role": m.role, "content": _content(m)} for m in alternating(turns)],
            "temperature": min(1.0, request.sampling.temperature),
        }
        if system:
            body["system"] = system
        if form.stream:
            body["stream"] = True
        return body

    def read(self, payload: Any, latency_s: float) -> Answer:
        """See ``Dialect``."""
        if isinstance(payload, dict) and payload.get("stop_reason") == "refusal":
            payload = payload | {"content": payload.get("content") or []}
        if not isinstance(payload, dict) or not isinstance(payload.get("content"), list):
            said = completion.error_text(payload)
            if who := named(200, payload):
                return Answer(said, "content_filter", latency_s=latency_s, refused_by=who)
            raise TargetError(
                f"the target said: {said}" if said else "the answer has no content", retry=True
            )
        texts: list[str] = []
        reasoning: list[str] = []
        for block in payload["content"]:
            if not isinstance(block, dict):
                continue
            match block.get("type"):
                case "text":
                    texts.append(str(block.get("text", "")))
                case "thinking":
                    reasoning.append(str(block.get("thinking", "")))
                case "tool_use":
                    texts.append(completion.tool_call(block.get("name"), block.get("input")))
        reason = str(payload.get("stop_reason") or "stop")
        text = encodable("".join(texts))
        usage = payload.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        kinds = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        return Answer(
            text,
            _REASONS.get(reason, reason),
            sum(completion.count(usage.get(kind)) for kind in kinds),
            completion.count(usage.get("output_tokens")),
            latency_s,
            encodable("\n".join(filter(None, reasoning))),
            REFUSAL_FIELD if reason == "refusal" and not text.strip() else "",
        )

    def joined(self, events: Sequence[Any]) -> Any:
        """See ``Dialect``."""
        whole: dict[str, Any] = {"content": [], "usage": {}}
        for event in events:
            if not isinstance(event, dict):
                continue
            match event.get("type"):
                case "error":
                    return event
                case "message_start" if isinstance(event.get("message"), dict):
                    whole["usage"] |= event["message"].get("usage") or {}
                case "content_block_start" if isinstance(event.get("content_block"), dict):
                    whole["content"].append(dict(event["content_block"]))
                case "content_block_delta" if whole["content"]:
                    _add(whole["content"][-1], event.get("delta"))
                case "message_delta" if isinstance(event.get("delta"), dict):
                    whole["stop_reason"] = event["delta"].get("stop_reason")
                    whole["usage"] |= event.get("usage") or {}
        return whole


def _add(block: dict[str, Any], delta: Any) -> None:
    if not isinstance(delta, dict):
        return
    for field, into in (("text", "text"), ("thinking", "thinking"), ("partial_json", "input")):
        if isinstance(delta.get(field), str):
            before = block.get(into)
            block[into] = (before if isinstance(before, str) else "") + delta[field]


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.content
    pictures = [
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": "image/png",
                "data": base64.b64encode(image).decode(),
            },
        }
        for image in message.images
    ]
    return [*pictures, {"type": "text", "text": message.content}]
