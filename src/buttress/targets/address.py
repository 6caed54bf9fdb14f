"""The content address of a question, and its prompt as people read it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import orjson

from buttress.targets.base import Message, Sampling


def address(
    identity: str,
    messages: Sequence[Message],
    sampling: Sampling,
    tag: str = "",
    through: Sequence[str] = (),
) -> str:
    """SHA-256 in hex of all that an answer depends on: same address, same question.

    The probe and the judge are not part of it, so that an answer serves every probe that asks the
    same, and is judged again when the judge changes. ``through`` names what a procedure's way
    depends on besides.
    """
    content: list[object] = [
        identity,
        [_turn(message) for message in messages],
        [sampling.max_tokens, sampling.temperature, sampling.seed],
        tag,
    ]
    if through:
        content.append(list(through))
    return hashlib.sha256(orjson.dumps(content)).hexdigest()


def _turn(message: Message) -> list[str]:
    return [message.role, message.content, *map(_digest, message.images)]


def _digest(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def flatten(messages: Sequence[Message]) -> str:
    """All turns as one text; a lone user turn as it is. A picture is told by its digest."""
    if len(messages) == 1 and messages[0].role == "user":
        return _said(messages[0])
    return "\n\n".join(f"{message.role}: {_said(message)}" for message in messages)


def _said(message: Message) -> str:
    pictures = (f"[picture, SHA-256 {_digest(image)}]" for image in message.images)
    return "\n".join((message.content, *pictures))
