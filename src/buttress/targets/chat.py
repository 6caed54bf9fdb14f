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
    first = Message(others[0].role, "\n\n".join([*system, others[0].content]))
    return (first, *others[1:])
