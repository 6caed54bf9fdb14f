"""OpenAI's responses API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from buttress.files.encodable import encodable
from buttress.targets import completion
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.chat import alternating, data_url
from buttress.targets.dialects.base import QuestionForm, with_path
from buttress.targets.refusals import CONTENT_FILTER, REFUSAL_FIELD, named, with_details


class OpenAIResponses:
    """``POST BASE/responses``."""

    id = "openai-responses"
    headers: Mapping[str, str] = {}

    def url(self, base: URL, model: str, *, stream: bool) -> URL:
        """See ``Dialect``."""
        del model, stream
        return with_path(base, "/responses")

    def key_headers(self, key: str) -> Mapping[str, str]:
        """See ``Dialect``."""
        return {"Authorization": f"Bearer {key}"}

    def body(self, request: Request, model: str, form: QuestionForm) -> dict[str, Any]:
        """See ``Dialect``."""
        sent = alternating(request.messages) if form.merge_system else request.messages
        body: dict[str, Any] = {
            "model": model,
            "input": [{"role": m.role, "content": _content(m)} for m in sent],
            "max_output_tokens": form.tokens(request),
            "temperature": request.sampling.temperature,
            "store": False,
        }
        if form.stream:
            body["stream"] = True
        return body

    def read(self, payload: Any, latency_s: float) -> Answer:
        """See ``Dialect``."""
        if not isinstance(payload, dict) or not isinstance(payload.get("output"), list):
            return _without_output(payload, latency_s)
        if payload.get("error") and not payload["output"]:  # status "failed"
            return _without_output({"error": payload["error"]}, latency_s)
        texts: list[str] = []
        refusals: list[str] = []
        reasoning: list[str] = []
        for item in payload["output"]:
            if not isinstance(item, dict):
                continue
            match item.get("type"):
                case "message":
                    for part in _mappings(item.get("content")):
                        if isinstance(part.get("refusal"), str):
                            refusals.append(part["refusal"])
                        elif isinstance(part.get("text"), str):
                            texts.append(part["text"])
                case "reasoning":
                    parts = [*_mappings(item.get("summary")), *_mappings(item.get("content"))]
                    reasoning += [str(part.get("text", "")) for part in parts]
                case "function_call":
                    texts.append(completion.tool_call(item.get("name"), item.get("arguments")))
        details = payload.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        text = encodable("".join(texts) or "".join(refusals))
        refused_by = REFUSAL_FIELD if refusals and not texts else ""
        if reason == "content_filter" and not texts:
            refused_by = with_details(CONTENT_FILTER, payload)
        usage = payload.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        return Answer(
            text,
            {"max_output_tokens": "length"}.get(str(reason), str(reason or "stop")),
            completion.count(usage.get("input_tokens")),
            completion.count(usage.get("output_tokens")),
            latency_s,
            encodable("\n".join(filter(None, reasoning))),
            refused_by,
        )

    def joined(self, events: Sequence[Any]) -> Any:
        """See ``Dialect``: the last event holds the whole response."""
        for event in reversed(events):
            if isinstance(event, dict) and isinstance(event.get("response"), dict):
                return event["response"]
        return events[-1] if events else {}


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.content
    pictures = [{"type": "input_image", "image_url": data_url(image)} for image in message.images]
    return [{"type": "input_text", "text": message.content}, *pictures]


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _without_output(payload: Any, latency_s: float) -> Answer:
    said = completion.error_text(payload)
    if who := named(200, payload):
        return Answer(said, "content_filter", latency_s=latency_s, refused_by=who)
    raise TargetError(
        f"the target said: {said}" if said else "the answer has no output", retry=True
    )
