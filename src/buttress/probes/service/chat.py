"""The shapes of chat APIs: how a question is put, and where the answer stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from buttress.probes.service.openapi import ApiDescription, ApiOperation
from buttress.protocols.live import LiveRequest, Reply

MODEL: Final = "{model}"
_TEXT_FIELDS: Final = ("prompt", "message", "question", "input", "query", "text", "content")
_ANSWER_FIELDS: Final = ("answer", "response", "output", "text", "message", "content", "reply")
_JSON: Final = ("Content-Type", "application/json")


@dataclass(frozen=True)
class ChatShape:
    """A chat API. ``template`` is a body in which ``field`` holds the question.

    ``field`` is ``messages`` where the body has a list of messages. ``choices`` says whether ``n``,
    ``logprobs`` and ``stream`` mean what they mean to OpenAI.
    """

    name: str
    path: str
    key_header: tuple[str, str]
    template: Mapping[str, Any]
    field: str = "messages"
    headers: tuple[tuple[str, str], ...] = ()
    choices: bool = False

    def ask(
        self,
        question: str | list[dict[str, Any]],
        key: str = "",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        once: str = "",
        path: str = "",
        **options: Any,
    ) -> LiveRequest:
        """A question; ``options`` are put into the body, ``headers`` beside the usual ones."""
        content: Any = question
        if self.field == "messages":
            content = [{"role": "user", "content": question}]
        body = {**self.template, self.field: content, **options}
        return self.post(json.dumps(body).encode(), key, headers=headers, once=once, path=path)

    def converse(
        self, messages: Sequence[Mapping[str, Any]], key: str = "", **options: Any
    ) -> LiveRequest:
        """A question at the end of a conversation of several messages."""
        body = {**self.template, self.field: list(messages), **options}
        return self.post(json.dumps(body).encode(), key)

    def post(
        self,
        body: bytes,
        key: str = "",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        once: str = "",
        path: str = "",
    ) -> LiveRequest:
        """A request with that body, as a user where ``key`` names one."""
        own = (*self.headers, _JSON, *((self.key_header,) if key else ()), *headers)
        return LiveRequest("POST", path or self.path, own, body, once=once, key=key, costs=True)

    def answer(self, reply: Reply | None) -> str:
        """The text of an answer; empty where there is none."""
        if reply is None or reply.status != 200:
            return ""
        data = json_of(reply)
        if not isinstance(data, dict):
            return ""
        choices = data.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            message = choices[0].get("message")
            return _text(message.get("content")) if isinstance(message, dict) else ""
        if isinstance(data.get("content"), list):  # Anthropic
            parts = [one for one in data["content"] if isinstance(one, dict)]
            return "".join(_text(one.get("text")) for one in parts)
        if isinstance(data.get("message"), dict):  # Ollama
            return _text(data["message"].get("content"))
        return next((text for name in _ANSWER_FIELDS if (text := _text(data.get(name)))), "")


OPENAI: Final = ChatShape(
    "OpenAI", "/v1/chat/completions", ("Authorization", "Bearer {key}"),
    {"model": MODEL, "max_tokens": 16}, choices=True,
)  # fmt: skip
ANTHROPIC: Final = ChatShape(
    "Anthropic", "/v1/messages", ("x-api-key", "{key}"), {"model": MODEL, "max_tokens": 16},
    headers=(("anthropic-version", "2023-06-01"),),
)  # fmt: skip
OLLAMA: Final = ChatShape(
    "Ollama", "/api/chat", ("Authorization", "Bearer {key}"), {"model": MODEL, "stream": False},
)  # fmt: skip
USUAL: Final = (OPENAI, ANTHROPIC, OLLAMA)


def shapes_of(description: ApiDescription | None) -> tuple[ChatShape, ...]:
    """The chat APIs that a description has; the usual ones where there is no description."""
    if description is None:
        return USUAL
    found = []
    for one in description.operations:
        if one.method != "POST":
            continue
        if one.path.endswith("/chat/completions"):
            template = {"model": _model(one), "max_tokens": 16}
            found.append(
                ChatShape("OpenAI", one.path, description.key_header, template, choices=True)
            )
        elif shape := _of_operation(one, description):
            found.append(shape)
    return tuple(found[:3])


def _model(one: ApiOperation) -> Any:
    given = one.body.get("model") if isinstance(one.body, dict) else None
    return given if isinstance(given, str) and given != "x" else MODEL


def _of_operation(one: ApiOperation, description: ApiDescription) -> ChatShape | None:
    if "{" in one.path or not isinstance(one.body, dict | type(None)):
        return None
    body = dict(one.body or {})
    field = next((name for name in ("messages", *_TEXT_FIELDS) if name in one.properties), None)
    if field is None:
        return None
    if body.get("model") == "x":
        body["model"] = MODEL
    return ChatShape(f"POST {one.path}", one.path, description.key_header, body, field)


def json_of(reply: Reply | None) -> Any:
    """The body as JSON; None where it is none."""
    if reply is None:
        return None
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
