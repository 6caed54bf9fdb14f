"""Ollama's own chat API."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from buttress.files.encodable import encodable
from buttress.targets import completion
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.chat import alternating
from buttress.targets.dialects.base import QuestionForm, with_path


class OllamaChat:
    """``POST BASE/api/chat``."""

    id = "ollama"
    headers: Mapping[str, str] = {}

    def url(self, base: URL, model: str, *, stream: bool) -> URL:
        """See ``Dialect``."""
        del model, stream
        return with_path(base, "/chat" if base.path.rstrip("/").endswith("/api") else "/api/chat")

    def key_headers(self, key: str) -> Mapping[str, str]:
        """See ``Dialect``."""
        return {"Authorization": f"Bearer {key}"}

    def body(self, request: Request, model: str, form: QuestionForm) -> dict[str, Any]:
        """See ``Dialect``."""
        sampling = request.sampling
        sent = alternating(request.messages) if form.merge_system else request.messages
        options: dict[str, Any] = {
            "num_predict": form.tokens(request),
            "temperature": sampling.temperature,
            "seed": sampling.seed,
        }
        if "max_tokens" in form.omitted:
            del options["num_predict"]
        for field in form.omitted & options.keys():
            del options[field]
        return {
            "model": model,
            "messages": [_turn(message) for message in sent],
            "stream": form.stream,
            "options": options,
        }

    def read(self, payload: Any, latency_s: float) -> Answer:
        """See ``Dialect``."""
        message = payload.get("message") if isinstance(payload, dict) else None
        if not isinstance(message, dict):
            said = completion.error_text(payload)
            raise TargetError(
                f"the target said: {said}" if said else "the answer has no message", retry=True
            )
        calls = message.get("tool_calls")
        lines = [completion.joined_parts(message.get("content"))]
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                lines.append(completion.tool_call(function.get("name"), function.get("arguments")))
        return Answer(
            encodable("\n".join(filter(None, lines))),
            str(payload.get("done_reason") or "stop"),
            completion.count(payload.get("prompt_eval_count")),
            completion.count(payload.get("eval_count")),
            latency_s,
            encodable(str(message.get("thinking") or "")),
        )

    def joined(self, events: Sequence[Any]) -> Any:
        """See ``Dialect``."""
        whole: dict[str, Any] = {}
        message: dict[str, Any] = {"content": "", "thinking": "", "tool_calls": []}
        for event in events:
            if not isinstance(event, dict):
                continue
            if event.get("error"):
                return event
            whole |= event
            piece = event.get("message")
            if isinstance(piece, dict):
                message["content"] += str(piece.get("content") or "")
                message["thinking"] += str(piece.get("thinking") or "")
                message["tool_calls"] += piece.get("tool_calls") or []
        return whole | {"message": message}


def _turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        turn["images"] = [base64.b64encode(image).decode() for image in message.images]
    return turn
