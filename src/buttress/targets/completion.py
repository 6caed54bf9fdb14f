"""Reading a chat completion, as OpenAI-compatible servers and llama.cpp return it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import orjson

from buttress.targets.base import Answer, TargetError

MESSAGE_LENGTH: Final = 300


def one_line(text: str, limit: int = MESSAGE_LENGTH) -> str:
    """``text`` on one line of at most ``limit`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def decode(body: bytes) -> Any:
    """The JSON value in ``body``.

    Raises:
        TargetError: not JSON (retry: a proxy may have cut or replaced the body).
    """
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    try:
        # Some servers cut a surrogate pair in two at the token limit, which orjson refuses.
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        start = one_line(body[:200].decode("utf-8", "replace"), 80)
        raise TargetError(f"the answer is not JSON: '{start}'", retry=True) from None


def error_text(payload: Any) -> str:
    """What an error body says, in any of the usual shapes; "" if nothing."""
    if isinstance(payload, str):
        return one_line(payload)
    if isinstance(payload, list) and payload:
        return error_text(payload[0])
    if isinstance(payload, Mapping):
        for field in ("error", "message", "detail", "msg", "error_description"):
            if payload.get(field):
                return error_text(payload[field])
    return ""


def error_field(payload: Any, field: str) -> str:
    """``code``, ``type`` or ``param`` of an error body; "" if there is none."""
    error = payload.get("error") if isinstance(payload, Mapping) else None
    value = error.get(field) if isinstance(error, Mapping) else None
    return str(value) if value is not None else ""


def read(payload: Any, latency_s: float) -> Answer:
    """The answer in a chat completion.

    A refusal given in its own field and calls of tools are part of what the model said, so they
    are in the text; a chain of thought given in its own field is not.

    Raises:
        TargetError: an error in place of a completion, or no choice.
    """
    if not isinstance(payload, dict):
        raise TargetError("the answer is not a JSON object", retry=True)
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        said = error_text(payload)
        code = error_field(payload, "code")
        number = int(code) if code.isascii() and code.isdigit() and len(code) < 10 else None
        again = number is None or number >= 500 or number == 429
        raise TargetError(
            f"the target said: {said}" if said else "the answer has no choices",
            retry=again,
            throttled=code in {"429", "503"},
        )
    choice = choices[0]
    message = choice.get("message")
    if isinstance(message, dict):
        text = _text(message)
    elif isinstance(choice.get("text"), str):
        text = choice["text"]
    else:
        raise TargetError("the answer's choice has no message", retry=True)
    usage = payload.get("usage")
    prompt, completion = 0, 0
    if isinstance(usage, dict):
        prompt = _count(usage.get("prompt_tokens"))
        completion = _count(usage.get("completion_tokens"))
    reason = choice.get("finish_reason")
    return Answer(
        text=text,
        finish_reason=reason if isinstance(reason, str) else "stop",
        prompt_tokens=prompt,
        completion_tokens=completion,
        latency_s=latency_s,
        token_probabilities=_token_probabilities(choice.get("logprobs")),
    )


def _token_probabilities(logprobs: Any) -> tuple[dict[str, float], ...]:
    """Log probabilities by token at each place, as chat completions hold them."""
    places = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(places, list):
        return ()
    found: list[dict[str, float]] = []
    for place in places:
        tops = place.get("top_logprobs") if isinstance(place, dict) else None
        found.append(
            {
                str(top["token"]): float(top["logprob"])
                for top in (tops if isinstance(tops, list) else ())
                if isinstance(top, dict)
                and isinstance(top.get("logprob"), int | float)
                and "token" in top
            }
        )
    return tuple(found)


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**53 else 0


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        text = content
    elif isinstance(content, list):
        text = "".join(_part(part) for part in content)
    else:
        text = ""
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal and not text:
        text = refusal
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        text = "\n".join(filter(None, [text, *map(_call, calls)]))
    elif isinstance(message.get("function_call"), dict):
        text = "\n".join(filter(None, [text, _call({"function": message["function_call"]})]))
    # A lone surrogate can't be hashed or stored as UTF-8.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict):
        if str(part.get("type", "")) in {"thinking", "reasoning"}:
            return ""
        for field in ("text", "refusal"):
            if isinstance(part.get(field), str):
                return str(part[field])
    return ""


def _call(call: Any) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return ""
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return f"{function.get('name', 'tool')}({arguments})"
