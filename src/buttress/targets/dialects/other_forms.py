"""Replies in the form of another API than the one that was asked.

Gateways take OpenAI's questions and hand through what the model behind them replies: Ollama's,
Anthropic's or Google's form, or a text generator's plain one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from buttress.files.encodable import encodable
from buttress.targets import event_stream
from buttress.targets.base import Answer, TargetError
from buttress.targets.dialects.anthropic import AnthropicMessages
from buttress.targets.dialects.base import Dialect
from buttress.targets.dialects.gemini import Gemini
from buttress.targets.dialects.ollama import OllamaChat
from buttress.targets.dialects.openai_chat import OpenAIChat
from buttress.targets.dialects.openai_responses import OpenAIResponses
from buttress.targets.failures import tells_failure

_OTHERS: Final[tuple[Dialect, ...]] = (
    OpenAIChat(), OllamaChat(), AnthropicMessages(), OpenAIResponses(), Gemini(),
)  # fmt: skip
_TEXTS: Final = (
    "generated_text", "output_text", "text_output", "outputText", "completion", "response", "text",
    "content", "answer", "reply", "output", "generation", "textResponse",
)  # fmt: skip
_WITHIN: Final = (
    "result", "results", "data", "output", "outputs", "predictions", "message", "content", "delta",
    "token", "chunk",
)  # fmt: skip
_BARE: Final = ("result", "results", "data", "outputs", "predictions", "delta", "token", "chunk")
_DEEPEST: Final = 5


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
        if answer.text.strip() or answer.refused_by:
            return answer
    if any(map(tells_failure, events)):
        return None
    text = event_stream.joined_pieces([_plain_text(event) for event in events])
    return Answer(encodable(text), latency_s=latency_s) if text.strip() else None


def _plain_text(payload: Any, depth: int = 0, *, bare: bool = False) -> str:
    """The text in a reply of no known API; ``bare`` where a text may stand by itself."""
    if isinstance(payload, str):
        return payload if bare else ""
    if depth >= _DEEPEST:
        return ""
    if isinstance(payload, list):
        return _plain_text(payload[0], depth + 1, bare=bare) if payload else ""
    if not isinstance(payload, Mapping):
        return ""
    for field in _TEXTS:
        if isinstance(payload.get(field), str):
            return str(payload[field])
    pieces = payload.get("output")  # Replicate's, of a language model
    if isinstance(pieces, list) and pieces and all(isinstance(each, str) for each in pieces):
        return "".join(pieces)
    turns = payload.get("messages")  # a conversation, the answer last
    if isinstance(turns, list) and turns and isinstance(turns[-1], Mapping):
        return str(turns[-1].get("content") or "")
    inner = (_plain_text(payload.get(f), depth + 1, bare=f in _BARE) for f in _WITHIN)
    return next(filter(None, inner), "")
