"""Google's Gemini API, also as Vertex AI has it."""

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
from buttress.targets.refusals import CONTENT_FILTER, NO_CHOICES, named, with_details

_REASONS = {"STOP": "stop", "MAX_TOKENS": "length", "FINISH_REASON_UNSPECIFIED": "stop"}


class Gemini:
    """``POST BASE/models/MODEL:generateContent``."""

    id = "gemini"
    headers: Mapping[str, str] = {}

    def url(self, base: URL, model: str, *, stream: bool) -> URL:
        """See ``Dialect``."""
        path = base.path.rstrip("/").partition(":")[0]
        if "/models/" not in path:
            path += f"/models/{model.removeprefix('models/')}"
        verb = "streamGenerateContent" if stream else "generateContent"
        url = base.with_path(f"{path}:{verb}", keep_query=True).with_fragment(None)
        return url.update_query(alt="sse") if stream else url

    def key_headers(self, key: str) -> Mapping[str, str]:
        """See ``Dialect``: OAuth tokens of Vertex AI go as bearer tokens."""
        if key.startswith("ya29."):
            return {"Authorization": f"Bearer {key}"}
        return {"x-goog-api-key": key}

    def body(self, request: Request, model: str, form: QuestionForm) -> dict[str, Any]:
        """See ``Dialect``."""
        del model
        system, turns = system_and_turns(request.messages)
        if form.merge_system:
            system, turns = "", alternating(request.messages)
        generation = {
            "maxOutputTokens": form.tokens(request),
            "temperature": request.sampling.temperature,
            "seed": request.sampling.seed,
        }
        if "max_tokens" in form.omitted:
            del generation["maxOutputTokens"]
        if request.sampling.temperature == 0 or "seed" in form.omitted:
            del generation["seed"]
        if "temperature" in form.omitted:
            del generation["temperature"]
        body: dict[str, Any] = {
            "contents": [
                {"role": "model" if m.role == "assistant" else "user", "parts": _parts(m)}
                for m in alternating(turns)
            ],
            "generationConfig": generation,
        }
        if system:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        return body

    def read(self, payload: Any, latency_s: float) -> Answer:
        """See ``Dialect``."""
        if isinstance(payload, list):  # a stream without events is a list of replies
            payload = self.joined(payload)
        if not isinstance(payload, dict):
            raise TargetError("the answer is not a JSON object", retry=True)
        feedback = payload.get("promptFeedback")
        blocked = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if blocked:
            who = f"{CONTENT_FILTER}: {str(blocked).lower()}"
            return Answer("", "content_filter", latency_s=latency_s, refused_by=who)
        candidates = payload.get("candidates")
        if (
            not isinstance(candidates, list)
            or not candidates
            or not isinstance(candidates[0], dict)
        ):
            return _without_candidates(payload, latency_s)
        candidate = candidates[0]
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        texts: list[str] = []
        reasoning: list[str] = []
        for part in parts if isinstance(parts, list) else ():
            if not isinstance(part, dict):
                continue
            if isinstance(part.get("text"), str):
                (reasoning if part.get("thought") else texts).append(part["text"])
            elif isinstance(call := part.get("functionCall"), dict):
                texts.append(completion.tool_call(call.get("name"), call.get("args")))
        reason = str(candidate.get("finishReason") or "STOP")
        text = encodable("".join(texts))
        refused_by = ""
        if completion.is_filter(reason) and not text.strip():
            refused_by = f"{CONTENT_FILTER}: {reason.lower()}"
        usage = payload.get("usageMetadata")
        usage = usage if isinstance(usage, dict) else {}
        return Answer(
            text,
            _REASONS.get(reason, reason.lower()),
            completion.count(usage.get("promptTokenCount")),
            completion.count(usage.get("candidatesTokenCount"))
            + completion.count(usage.get("thoughtsTokenCount")),
            latency_s,
            encodable("".join(reasoning)),
            refused_by,
        )

    def joined(self, events: Sequence[Any]) -> Any:
        """See ``Dialect``."""
        whole: dict[str, Any] = {}
        parts: list[Any] = []
        last: dict[str, Any] = {}
        for event in events:
            if not isinstance(event, dict):
                continue
            whole |= {k: v for k, v in event.items() if k != "candidates"}
            candidates = event.get("candidates")
            if isinstance(candidates, list) and candidates and isinstance(candidates[0], dict):
                last |= {k: v for k, v in candidates[0].items() if k != "content"}
                content = candidates[0].get("content")
                if isinstance(content, dict) and isinstance(content.get("parts"), list):
                    parts += content["parts"]
        if last or parts:
            whole["candidates"] = [last | {"content": {"parts": parts}}]
        return whole


def _parts(message: Message) -> list[dict[str, Any]]:
    pictures = [
        {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(image).decode()}}
        for image in message.images
    ]
    return [{"text": message.content}, *pictures]


def _without_candidates(payload: dict[str, Any], latency_s: float) -> Answer:
    said = completion.error_text(payload)
    if who := named(200, payload):
        return Answer(said, "content_filter", latency_s=latency_s, refused_by=who)
    if said:
        raise TargetError(f"the target said: {said}", retry=True)
    if "usageMetadata" in payload or "candidates" in payload:
        who = with_details(NO_CHOICES, payload)
        return Answer("", "content_filter", latency_s=latency_s, refused_by=who)
    raise TargetError("the answer has no candidates", retry=True)
