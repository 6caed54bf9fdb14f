"""Prompts and answers of other tools' records: a text, or messages with roles."""

from __future__ import annotations

import re
from typing import Final

from buttress.interchange.fields import Fields
from buttress.labelling.preferences.messages import (
    Message,
    Said,
    UnreadableError,
    as_messages,
    said,
)

_DIALOGUE: Final = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):")  # of HH-RLHF
_SPEAKERS: Final = {"Human": "user", "Assistant": "assistant"}


def said_in(record: Fields, name: str) -> Said:
    """The text or the messages of a field.

    Raises:
        InputError: missing, empty, or anything but text; names the field.
    """
    try:
        return said(record.get(name))
    except UnreadableError as error:
        raise record.error(f"{name}{error.path}", error.problem, error.expected) from None


def conversation(*parts: Said) -> tuple[Said, ...]:
    """A prompt and answers: all as messages where one of them is, else all as texts."""
    if all(isinstance(part, str) for part in parts):
        return parts
    roles = ("user", *["assistant"] * (len(parts) - 1))
    return tuple(as_messages(part, role) for part, role in zip(parts, roles, strict=True))


def dialogue(text: str, role: str) -> tuple[Message, ...]:
    """The turns of HH-RLHF's ``Human:`` and ``Assistant:``; what stands before them is ``role``'s.

    A last turn without text, which asks for the answer, is left out.
    """
    before, *rest = _DIALOGUE.split(text)
    turns = list(zip(rest[::2], rest[1::2], strict=True))
    if turns and not turns[-1][1].strip() and (turns[1:] or before.strip()):
        turns.pop()
    messages = [{"role": _SPEAKERS[who], "content": said.strip()} for who, said in turns]
    if before.strip() or not messages:
        messages.insert(0, {"role": role, "content": before.strip()})
    return tuple(messages)
