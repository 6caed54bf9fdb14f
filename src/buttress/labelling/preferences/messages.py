"""What stands in a pair: a text, or the messages of a conversation, kept as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from buttress.files.encodable import encodable, encodable_data

Message = Mapping[str, Any]
"""``role`` and ``content``, a text or blocks of text, and whatever else its chat template reads."""
Said = str | tuple[Message, ...]
_ROLES: Final = {"human": "user", "gpt": "assistant"}  # of ShareGPT
_MISSING: Final = "missing"


class UnreadableError(ValueError):
    """Neither a text nor messages. ``path`` leads from the value to the place, such as ``[0]``."""

    def __init__(self, path: str, problem: str, expected: str) -> None:
        super().__init__(f"{path}: {problem}; expected {expected}")
        self.path = path
        self.problem = problem
        self.expected = expected


def said(value: object) -> Said:
    """A text, or messages of a list or of one object, ShareGPT's ``from`` and ``value`` too.

    Raises:
        UnreadableError: neither, or a message that holds something else than text and calls.
    """
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return (_message(value, ""),)
    if not isinstance(value, list | tuple):
        raise UnreadableError("", _MISSING if value is None else "not text", "text or messages")
    if not value:
        raise UnreadableError("", "empty", "messages")
    return tuple(_message(each, f"[{place}]") for place, each in enumerate(value))


def as_messages(value: Said, role: str) -> tuple[Message, ...]:
    """A text as one message of that role; messages without a role get it."""
    if isinstance(value, str):
        return ({"role": role, "content": value},)
    return tuple(one if one.get("role") else {**one, "role": role} for one in value)


def shown(value: Said) -> str:
    """One text for people; roles are written where there are several messages."""
    if isinstance(value, str):
        return value
    texts = [_text(one, "") for one in value]
    if len(texts) == 1:
        return texts[0]
    roles = [one.get("role") for one in value]
    both = zip(roles, texts, strict=True)
    return "\n\n".join(f"{role}: {text}" if role else text for role, text in both)


def same(one: Message, other: Message) -> bool:
    """Whether both say the same in the same role."""
    return one.get("role") == other.get("role") and _text(one, "") == _text(other, "")


def _message(value: object, path: str) -> Message:
    if not isinstance(value, dict):
        raise UnreadableError(path, "not an object", "a message")
    message = {name: one for name, one in value.items() if one is not None or name == "content"}
    if message.get("content") is None and message.get("value") is not None:
        role = message.get("from")
        message = {"role": _ROLES.get(str(role), role), "content": message["value"]}
    if not isinstance(message.get("role") or "", str):
        raise UnreadableError(f"{path}.role", "not text", "text")
    _text(message, path)
    try:
        made: dict[str, Any] = encodable_data(message)
        orjson.dumps(made)
    except (TypeError, RecursionError) as error:
        raise UnreadableError(path, f"can't be written ({error})", "a message in JSON") from None
    return made


def _text(message: Message, path: str) -> str:
    """What a message says, if anything, and the tools that it calls, as JSON."""
    content, calls = message.get("content"), message.get("tool_calls")
    if isinstance(content, list):
        texts = [_block(one, f"{path}.content[{place}]") for place, one in enumerate(content)]
    elif isinstance(content, str):
        texts = [content] if content.strip() or not calls else []
    elif content is None and calls:
        texts = []
    else:
        problem = _MISSING if content is None else "not text"
        raise UnreadableError(f"{path}.content", problem, "text")
    if calls:
        texts += _calls(calls, f"{path}.tool_calls")
    return "\n\n".join(texts)


def _block(block: object, path: str) -> str:
    if not isinstance(block, dict):
        raise UnreadableError(path, "not an object", "a block of text")
    if (kind := block.get("type", "text")) != "text":
        raise UnreadableError(f"{path}.type", f"'{kind}'"[:80], "text")
    if not isinstance(text := block.get("text"), str):
        raise UnreadableError(f"{path}.text", _MISSING if text is None else "not text", "text")
    return text


def _calls(calls: object, path: str) -> list[str]:
    if not isinstance(calls, Sequence) or isinstance(calls, str):
        raise UnreadableError(path, "not a list", "a list of calls")
    texts = []
    for place, call in enumerate(calls):
        at = f"{path}[{place}]"
        if not isinstance(call, dict):
            raise UnreadableError(at, "not an object", "a call")
        function = call.get("function", call)
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise UnreadableError(f"{at}.name", "missing or not text", "the name of a tool")
        asked = {"name": function["name"], "arguments": function.get("arguments")}
        texts.append(json.dumps({"tool_call": asked}, ensure_ascii=False))
    return texts
