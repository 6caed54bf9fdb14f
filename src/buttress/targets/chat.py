"""Chats in the form that runtimes take."""

from __future__ import annotations

import base64
from typing import Any

from buttress.targets.base import Message


def as_dicts(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Role and content of each message; content in parts where there are pictures."""
    return [{"role": message.role, "content": _content(message)} for message in messages]


def data_url(image: bytes) -> str:
    """A PNG file as a URL that holds it."""
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.content
    pictures = [
        {"type": "image_url", "image_url": {"url": data_url(image)}} for image in message.images
    ]
    return [{"type": "text", "text": message.content}, *pictures]


def without_system(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages with the system's text put before the first question.

    Some chat templates know no system role.
    """
    system = [m.content for m in messages if m.role == "system"]
    others = [m for m in messages if m.role != "system"]
    if not others:
        return (Message("user", "\n\n".join(system)),)
    first = Message(others[0].role, "\n\n".join([*system, others[0].content]), others[0].images)
    return (first, *others[1:])


def alternating(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without a system role, and with neighbours of the same role as one turn.

    Many templates want user and assistant in turn, the user first.
    """
    turns: list[Message] = []
    for message in without_system(messages) if _has_system(messages) else messages:
        if turns and turns[-1].role == message.role:
            before = turns[-1]
            joined = "\n\n".join((before.content, message.content))
            turns[-1] = Message(message.role, joined, before.images + message.images)
        else:
            turns.append(message)
    return tuple(turns)


def system_and_turns(messages: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    """The system's text, and the other messages."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    return system, tuple(m for m in messages if m.role != "system")


def in_parts(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages with each text as a part in a list, which some servers insist on."""
    return [
        {**m, "content": [{"type": "text", "text": m["content"]}]}
        if isinstance(m["content"], str)
        else m
        for m in messages
    ]


def _has_system(messages: tuple[Message, ...]) -> bool:
    return any(message.role == "system" for message in messages)
