"""Chats in the form that runtimes take."""

from __future__ import annotations

from buttress.targets.base import Message


def as_dicts(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    """Role and content of each message."""
    return [{"role": message.role, "content": message.content} for message in messages]


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
