"""Amazon Bedrock's Converse API."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from buttress.files.encodable import encodable
from buttress.targets import completion
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.chat import alternating, system_and_turns
from buttress.targets.dialects.base import QuestionForm
from buttress.targets.refusals import CONTENT_FILTER, named

_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}
_NOTICE = 400  # characters of a guardrail's message at most
_GUARDED = {"guardrail_intervened": "guardrail", "content_filtered": CONTENT_FILTER}


class BedrockConverse:
    """``POST BASE/model/MODEL/converse`` with an API key, or signed with the account's keys."""

    id = "bedrock"
    headers: Mapping[str, str] = {}

    def url(self, base: URL, model: str, *, stream: bool) -> URL:
        """See ``Dialect``."""
        del stream
        if base.path.rstrip("/").endswith("/converse"):
            return base
        escaped = model.replace("%", "%25").replace(":", "%3A").replace("/", "%2F")
        path = f"{base.raw_path.rstrip('/')}/model/{escaped}/converse"
        return base.with_path(path, encoded=True, keep_query=True).with_fragment(None)

    def key_headers(self, key: str) -> Mapping[str, str]:
        """See ``Dialect``."""
        return {"Authorization": f"Bearer {key}"}

    def body(self, request: Request, model: str, form: QuestionForm) -> dict[str, Any]:
        """See ``Dialect``."""
        del model
        system, turns = system_and_turns(request.messages)
        if form.merge_system:
            system, turns = "", alternating(request.messages)
        inference: dict[str, Any] = {
            "maxTokens": form.tokens(request),
            "temperature": min(1.0, request.sampling.temperature),
        }
        if "max_tokens" in form.omitted:
            del inference["maxTokens"]
        if "temperature" in form.omitted:
            del inference["temperature"]
        body: dict[str, Any] = {
            "messages": [{"role": m.role, "content": _content(m)} for m in alternating(turns)],
            "inferenceConfig": inference,
        }
        if system:
            body["system"] = [{"text": system}]
        return body

    def read(self, payload: Any, latency_s: float) -> Answer:
        """See ``Dialect``."""
        output = payload.get("output") if isinstance(payload, dict) else None
        message = output.get("message") if isinstance(output, dict) else None
        if not isinstance(message, dict):
            said = completion.error_text(payload)
            if who := named(200, payload):
                return Answer(said, "content_filter", latency_s=latency_s, refused_by=who)
            raise TargetError(
                f"the target said: {said}" if said else "the answer has no message", retry=True
            )
        content = message.get("content")
        texts: list[str] = []
        reasoning: list[str] = []
        for block in content if isinstance(content, list) else ():
            if not isinstance(block, dict):
                continue
            if isinstance(block.get("text"), str):
                texts.append(block["text"])
            elif isinstance(use := block.get("toolUse"), dict):
                texts.append(completion.tool_call(use.get("name"), use.get("input")))
            elif isinstance(thought := block.get("reasoningContent"), dict):
                thoughts = thought.get("reasoningText")
                if isinstance(thoughts, dict):
                    reasoning.append(str(thoughts.get("text", "")))
        reason = str(payload.get("stopReason") or "stop")
        usage = payload.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        text = encodable("".join(texts))
        return Answer(
            text,
            _REASONS.get(reason, reason),
            completion.count(usage.get("inputTokens")),
            completion.count(usage.get("outputTokens")),
            latency_s,
            encodable("\n".join(filter(None, reasoning))),
            # A guardrail gives a short message of its own, or the answer with parts masked.
            _GUARDED.get(reason, "") if len(text) < _NOTICE else "",
        )

    def joined(self, events: Sequence[Any]) -> Any:
        """See ``Dialect``: the streams of Bedrock are binary, and not asked for."""
        return events[-1] if events else {}


def _content(message: Message) -> list[dict[str, Any]]:
    pictures = [
        {"image": {"format": "png", "source": {"bytes": base64.b64encode(image).decode()}}}
        for image in message.images
    ]
    return [{"text": message.content}, *pictures]
