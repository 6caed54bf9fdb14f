"""Prompts and answers of other tools' records: a text, or messages with roles."""

from __future__ import annotations

import json

from buttress.files.encodable import encodable
from buttress.interchange.fields import Fields

Turn = tuple[str, str]
"""Role and text; a plain text has an empty role."""


def turns(record: Fields, name: str) -> list[Turn]:
    """The messages of a field, or its one message or text as one turn.

    A message is ``role`` and ``content``, or ShareGPT's ``from`` and ``value``. Its content is a
    text or a list of blocks of text; calls of tools are told as JSON.

    Raises:
        InputError: missing, empty, or anything but text; names the field.
    """
    value = record.get(name)
    if isinstance(value, dict):
        return [_turn(record.object(name))]
    if not isinstance(value, list):
        return [("", record.text(name))]
    if not value:
        raise record.error(name, "empty", "messages")
    return [_turn(each) for each in record.objects(name)]


def _turn(message: Fields) -> Turn:
    if message.get("content") is None and message.get("value") is not None:
        return message.text("from", ""), message.text("value")
    return message.text("role", ""), _content(message)


def joined(messages: list[Turn]) -> str:
    """One text; roles are written where there are several messages."""
    if len(messages) == 1:
        return messages[0][1]
    return "\n\n".join(f"{role}: {text}" if role else text for role, text in messages)


def _content(message: Fields) -> str:
    if message.get("tool_calls"):
        return _with_calls(message)
    if not isinstance(message.get("content"), list):
        return message.text("content")
    texts = []
    for block in message.objects("content"):
        if block.text("type", "text") != "text":
            raise block.error("type", f"'{block.text('type')}'"[:80], "text")
        texts.append(block.text("text"))
    return "\n\n".join(texts)


def _with_calls(message: Fields) -> str:
    """What a turn says, if anything, and the tools that it calls, as JSON."""
    said = message.get("content")
    texts = [message.text("content")] if isinstance(said, str) and said.strip() else []
    for call in message.objects("tool_calls"):
        function = call.object("function") if call.get("function") is not None else call
        asked = {"name": function.text("name"), "arguments": function.get("arguments")}
        texts.append(json.dumps({"tool_call": asked}, ensure_ascii=False))
    return "\n\n".join(map(encodable, texts))
