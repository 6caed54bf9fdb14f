"""Reading a chat completion, as OpenAI-compatible servers and llama.cpp return it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from buttress.files.encodable import encodable
from buttress.targets.base import Answer, TargetError
from buttress.targets.refusals import (
    CONTENT_FILTER,
    NO_CHOICES,
    REFUSAL_FIELD,
    cleared,
    marked,
    named,
    with_details,
)

MESSAGE_LENGTH: Final = 300
_COMMENTS: Final = re.compile(r"\A\s*(?::[^\n]*\n\s*)+")  # of an event stream, to keep it alive
_GUARD: Final = re.compile(r"\A\s*(\)\]\}',?|while\s*\(1\);|for\s*\(;;\);)\s*")  # before JSON
_VALUES: Final = json.JSONDecoder(strict=False)
_NO_ERROR: Final = frozenset({"", "null", "none", "undefined", "false", "0", "no error"})
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
FILTERED: Final = frozenset(
    {"content_filter", "content_filtered", "safety", "refusal", "guardrail_intervened", "sensitive",
     "prohibited_content", "blocklist", "spii", "error_toxic", "recitation", "moderation",
     "content_policy_violation", "guardrail", "blocked", "image_safety", "language", "hap",
     "input_guardrail_triggered", "output_guardrail_triggered", "blacklist"}
)  # fmt: skip


def one_line(text: str, limit: int = MESSAGE_LENGTH) -> str:
    """``text`` on one line of at most ``limit`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def decode(body: bytes) -> Any:
    """The JSON value in ``body``, in UTF-8.

    Raises:
        TargetError: as ``decode_text``.
    """
    return decode_text(body.decode("utf-8", "replace"))


def decode_text(text: str) -> Any:
    """The JSON value in ``text``; comments and guards before it, and what follows, are passed over.

    Objects one after another, as of a stream without line breaks, are a list.

    Raises:
        TargetError: not JSON (retry: a proxy may have cut or replaced the body).
    """
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    try:
        # Some servers cut a surrogate pair in two at the token limit, or leave line breaks inside
        # texts as they are. orjson refuses both.
        return _values(_GUARD.sub("", _COMMENTS.sub("", text), count=1))
    except (ValueError, RecursionError):
        start = one_line(text[:200], 80)
        raise TargetError(f"the answer is not JSON: '{start}'", retry=True) from None


def _values(text: str) -> Any:
    """The value at the start of a text, or the objects that follow each other there.

    Raises:
        ValueError: the text begins with none.
    """
    text = text.strip()
    value, end = _VALUES.raw_decode(text)
    if not isinstance(value, dict | list) and end < len(text):
        raise ValueError("words that begin as a number does")
    found = [value]
    while isinstance(value, dict) and end < len(text):
        try:
            value, end = _VALUES.raw_decode(text, end + len(text[end:]) - len(text[end:].lstrip()))
        except ValueError:
            break
        if isinstance(value, dict):
            found.append(value)
    return found if len(found) > 1 else found[0]


def payload(text: str) -> Any:
    """The body of an error: a JSON value, or the start of the text where it is none."""
    try:
        return decode_text(text)
    except TargetError:
        return text[:2000]


def error_text(payload: Any) -> str:
    """What an error body says, in any of the usual shapes; "" if nothing."""
    if isinstance(payload, str):
        return one_line(payload)
    if isinstance(payload, list) and payload:
        return error_text(payload[0])
    if isinstance(payload, Mapping):
        where = payload.get("loc")
        if isinstance(where, list) and isinstance(payload.get("msg"), str):  # FastAPI's
            place = ".".join(str(part) for part in where if part != "body")
            return one_line(f"{place}: {payload['msg']}" if place else payload["msg"])
        kind, message = payload.get("error"), payload.get("message")
        if isinstance(kind, str) and kind and message:  # Node's servers name the status beside it
            return one_line(f"{kind}: {error_text(message)}")
        if isinstance(payload.get("Code"), str) and isinstance(payload.get("Message"), str):
            return one_line(f"{payload['Code']}: {payload['Message']}")  # Tencent's, Alibaba's
        for field in ("error", "message", "Message", "detail", "msg", "error_description",
                      "errors", "error_msg", "title", "issues", "status_msg",
                      "base_resp", "header", "Error", "Response"):  # fmt: skip
            if is_error(payload.get(field)):
                return error_text(payload[field])
    return ""


def is_error(value: Any) -> bool:
    """Whether the field for an error holds one; some applications write ``"null"`` for none."""
    return bool(value) and not (isinstance(value, str) and value.strip().lower() in _NO_ERROR)


def error_field(payload: Any, field: str) -> str:
    """``code``, ``type`` or ``param`` of an error body; "" if there is none."""
    error = payload.get("error") if isinstance(payload, Mapping) else None
    value = error.get(field) if isinstance(error, Mapping) else None
    return str(value) if value is not None else ""


def read(payload: Any, latency_s: float) -> Answer:
    """The answer in a chat completion.

    A refusal given in its own field and calls of tools are part of what the model said, so they
    are in the text; a chain of thought given in its own field is in ``reasoning``. A reply whose
    choices a filter has taken out is a refusal, and one without choices perhaps.

    Raises:
        TargetError: an error in place of a completion, or nothing like one.
    """
    payload = _unwrapped(payload)
    if not isinstance(payload, dict):
        raise TargetError("the answer is not a JSON object", retry=True)
    choice = _first_choice(payload.get("choices"))
    if choice is None:
        return _without_choices(payload, latency_s)
    message = _message(choice)
    if _failed(payload, choice):
        return _without_choices({"error": choice.get("error") or payload.get("error")}, latency_s)
    if isinstance(message, str):  # some gateways flatten it
        message = {"content": message}
    if isinstance(message, dict):
        text = _text(message)
    elif isinstance(choice.get("text"), str):
        message, text = {}, choice["text"]
    elif is_filter(choice.get("finish_reason")):
        message, text = {}, ""
    else:
        raise TargetError("the answer's choice has no message", retry=True)
    usage = payload.get("usage")
    prompt, completion = 0, 0
    if isinstance(usage, dict):
        prompt = count(usage.get("prompt_tokens"))
        completion = count(usage.get("completion_tokens"))
    reason = choice.get("finish_reason")
    if not text.strip() and is_filter(choice.get("native_finish_reason")):
        reason = choice["native_finish_reason"]  # of the provider behind a router
    return Answer(
        text=text,
        finish_reason=reason if isinstance(reason, str) else "stop",
        prompt_tokens=prompt,
        completion_tokens=completion,
        latency_s=latency_s,
        reasoning=_reasoning(message),
        refused_by=_refused_by(payload, message, reason, text),
        token_probabilities=_token_probabilities(choice.get("logprobs")),
    )


def _first_choice(choices: Any) -> dict[str, Any] | None:
    """The first choice that says something, else the first; None where there is none.

    Some gateways give the choices as a mapping.
    """
    if isinstance(choices, dict):
        choices = [choices] if _message(choices) else list(choices.values())
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    return next((choice for choice in choices if isinstance(choice, dict) and _says(choice)),
                choices[0])  # fmt: skip


def _says(choice: dict[str, Any]) -> bool:
    message = _message(choice)
    text = _text(message) if isinstance(message, dict) else message or choice.get("text")
    return isinstance(text, str) and bool(text.strip())


def _message(choice: dict[str, Any]) -> Any:
    """The message of a choice.

    Azure's own-data replies list several, Snowflake's give a text, streams call it a delta.
    """
    listed = choice.get("messages")
    if isinstance(listed, list | str) and listed and "message" not in choice:
        return listed if isinstance(listed, str) else listed[-1]
    return choice.get("message", choice.get("delta"))


def is_filter(reason: Any) -> bool:
    """Whether a reason to stop says that a filter stopped the answer, details aside."""
    if not isinstance(reason, str):
        return False
    return reason.lower().partition(":")[0].strip().replace("-", "_") in FILTERED


def _unwrapped(payload: Any) -> Any:
    """The completion where a gateway has put it one level down, or into a text of JSON."""
    payload = in_snake_case(_parsed(payload))
    if isinstance(payload, list) and len(payload) == 1:
        payload = _parsed(payload[0])
    if not isinstance(payload, dict) or "choices" in payload:
        return payload
    for field in ("data", "result", "output", "response", "body"):
        inner = _parsed(payload.get(field))
        if isinstance(inner, dict) and isinstance(inner.get("choices"), list):
            return inner
    return payload


def in_snake_case(payload: Any) -> Any:
    """A reply of Tencent's Hunyuan with OpenAI's names of its fields; any other as it is."""
    if not isinstance(payload, dict):
        return payload
    inner = payload.get("Response", payload)
    return _renamed(inner) if isinstance(inner, dict) and "Choices" in inner else payload


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_CAPITAL.sub("_", str(name)).lower(): _renamed(v) for name, v in value.items()}
    return [_renamed(each) for each in value] if isinstance(value, list) else value


def _parsed(value: Any) -> Any:
    """The JSON object in a text; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            return orjson.loads(value)
        except ValueError:
            pass
    return value


def _failed(payload: dict[str, Any], choice: dict[str, Any]) -> bool:
    """Whether generation broke off with an error, which routers put beside an empty choice."""
    if is_error(choice.get("error")):
        return True
    message = _message(choice)
    empty = not (isinstance(message, dict) and _text(message))
    return empty and (is_error(payload.get("error")) or choice.get("finish_reason") == "error")


def _without_choices(payload: dict[str, Any], latency_s: float) -> Answer:
    said = error_text(payload)
    code = error_field(payload, "code")
    number = int(code) if code.isascii() and code.isdigit() and len(code) < 10 else 200
    if who := named(number, payload):
        return Answer(said, "content_filter", latency_s=latency_s, refused_by=who)
    if not said and marked(payload):
        who = with_details(CONTENT_FILTER, payload)
        return Answer("", "content_filter", latency_s=latency_s, refused_by=who)
    if "choices" in payload and not said and not payload["choices"] and not cleared(payload):
        who = with_details(NO_CHOICES, payload)
        refused = Answer("", "content_filter", latency_s=latency_s, refused_by=who)
        raise TargetError("the answer has no choices", retry=False, refusal=refused)
    raise TargetError(
        f"the target said: {said}" if said else "the answer has no choices",
        retry=number == 200 or number >= 500 or number == 429,
        throttled=code in {"429", "503"},
        fatal=number in {401, 402, 404},
    )


def _refused_by(payload: Any, message: dict[str, Any], reason: Any, text: str) -> str:
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal and text == encodable(refusal):
        return REFUSAL_FIELD
    if not text.strip() and (is_filter(reason) or marked(payload)):
        return with_details(CONTENT_FILTER, payload)
    return ""


def _reasoning(message: dict[str, Any]) -> str:
    for field in ("reasoning_content", "reasoning", "thinking", "reasoning_text"):
        if isinstance(message.get(field), str):
            return encodable(message[field])
    for field in ("reasoning_details", "content"):
        parts = message.get(field)
        if isinstance(parts, list):
            return encodable("".join(_thought(part) for part in parts))
    return ""


def _is_thought(part: Any) -> bool:
    """Whether a part is reasoning; OpenRouter writes ``reasoning.text``."""
    kind = str(part.get("type", "")) if isinstance(part, dict) else ""
    return kind.partition(".")[0] in {"thinking", "reasoning"}


def _thought(part: Any) -> str:
    """The reasoning in a part of a content; Mistral nests a list of texts in it."""
    if not _is_thought(part):
        return ""
    for field in ("thinking", "text", "reasoning"):
        value = part.get(field)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return "".join(str(each.get("text", "")) for each in value if isinstance(each, dict))
    return ""


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


def count(value: Any) -> int:
    """A number of tokens, 0 where it is none."""
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**53 else 0


def _text(message: dict[str, Any]) -> str:
    text = joined_parts(message.get("content"))
    spoken = message.get("audio")
    if not text and isinstance(spoken, dict) and isinstance(spoken.get("transcript"), str):
        text = spoken["transcript"]
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal and not text:
        text = refusal
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        text = "\n".join(filter(None, [text, *map(_call, calls)]))
    elif isinstance(message.get("function_call"), dict):
        text = "\n".join(filter(None, [text, _call({"function": message["function_call"]})]))
    return encodable(text)


def joined_parts(content: Any) -> str:
    """The text of a content, which is a text or a list of parts, without reasoning."""
    if isinstance(content, dict) and isinstance(content.get("parts"), list):
        content = content["parts"]
    return "".join(map(_part, content if isinstance(content, list) else [content]))


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict):
        if _is_thought(part):
            return ""
        for field in ("text", "refusal"):
            value = part.get(field)
            if isinstance(value, dict):  # as OpenAI's assistants write it
                value = value.get("value")
            if isinstance(value, str):
                return value
    return ""


def tool_call(name: Any, arguments: Any) -> str:
    """A call of a tool as text."""
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return f"{name}({arguments})"


def _call(call: Any) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return ""
    return tool_call(function.get("name", "tool"), function.get("arguments"))
