"""Prompts and answers of other tools' records: a text, or messages with roles."""

from __future__ import annotations

from buttress.interchange.fields import Fields

Turn = tuple[str, str]
"""Role and text; a plain text has an empty role."""


def turns(record: Fields, name: str) -> list[Turn]:
    """The messages of a field, or its text as one turn.

    A message's content is a text or a list of blocks of text.

    Raises:
        InputError: missing, empty, or anything but text; names the field.
    """
    value = record.get(name)
    if not isinstance(value, list):
        return [("", record.text(name))]
    if not value:
        raise record.error(name, "empty", "messages")
    return [(each.text("role", ""), _content(each)) for each in record.objects(name)]


def joined(messages: list[Turn]) -> str:
    """One text; roles are written where there are several messages."""
    if len(messages) == 1:
        return messages[0][1]
    return "\n\n".join(f"{role}: {text}" if role else text for role, text in messages)


def _content(message: Fields) -> str:
    if not isinstance(message.get("content"), list):
        return message.text("content")
    texts = []
    for block in message.objects("content"):
        if block.text("type", "text") != "text":
            raise block.error("type", f"'{block.text('type')}'"[:80], "text")
        texts.append(block.text("text"))
    return "\n\n".join(texts)
