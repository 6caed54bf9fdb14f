"""Replies in the form of another API than the one that was asked.

Gateways take OpenAI's questions and hand through what the model behind them replies: Ollama's,
Anthropic's or Google's form, or a text generator's plain one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from buttress.files.encodable import encodable
from buttress.targets.base import Answer, TargetError
from buttress.targets.dialects.anthropic import AnthropicMessages
from buttress.targets.dialects.base import Dialect
from buttress.targets.dialects.gemini import Gemini
from buttress.targets.dialects.ollama import OllamaChat
from buttress.targets.dialects.openai_chat import OpenAIChat
from buttress.targets.dialects.openai_responses import OpenAIResponses

_OTHERS: Final[tuple[Dialect, ...]] = (
    OpenAIChat(), OllamaChat(), AnthropicMessages(), OpenAIResponses(), Gemini(),
)  # fmt: skip
_TEXTS: Final = (
    "generated_text", "output_text", "completion", "response", "text", "content", "answer", "reply",
    "output",
)  # fmt: skip
_WITHIN: Final = ("result", "results", "data", "output", "predictions")
_DEEPEST: Final = 3


def read_other_form(events: Sequence[Any], latency_s: float, *, stream: bool) -> Answer | None:
    """The answer in a reply of another form; None where there is no text in any.

    Args:
        events: of a stream, or the one reply.
        latency_s: of the reply.
        stream: which of the two.
    """
    for dialect in _OTHERS:
        try:
            payload = dialect.joined(events) if stream else events[0]
            answer = dialect.read(payload, latency_s)
        except (TargetError, LookupError):
            continue
        if answer.text.strip():
            return answer
    text = "" if stream else _plain_text(events[0], 0)
    return Answer(encodable(text), latency_s=latency_s) if text.strip() else None


def _plain_text(payload: Any, depth: int) -> str:
    if isinstance(payload, list):
        return _plain_text(payload[0], depth + 1) if payload and depth < _DEEPEST else ""
    if not isinstance(payload, Mapping) or depth >= _DEEPEST:
        return ""
    for field in _TEXTS:
        if isinstance(payload.get(field), str):
            return str(payload[field])
    turns = payload.get("messages")  # a conversation, the answer last
    if isinstance(turns, list) and turns and isinstance(turns[-1], Mapping):
        return str(turns[-1].get("content") or "")
    return next(filter(None, (_plain_text(payload.get(f), depth + 1) for f in _WITHIN)), "")
