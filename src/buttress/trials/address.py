"""The content address of a question, and its prompt as people read it."""

from __future__ import annotations

import hashlib

import orjson

from buttress.targets.base import Message, Sampling


def address(identity: str, messages: tuple[Message, ...], sampling: Sampling, tag: str = "") -> str:
    """SHA-256 in hex of all that an answer depends on: same address, same question.

    The probe and the judge are not part of it, so that an answer serves every probe that asks the
    same, and is judged again when the judge changes.
    """
    content = [
        identity,
        [[message.role, message.content] for message in messages],
        [sampling.max_tokens, sampling.temperature, sampling.seed],
        tag,
    ]
    return hashlib.sha256(orjson.dumps(content)).hexdigest()


def flatten(messages: tuple[Message, ...]) -> str:
    """All turns as one text; a lone user turn as it is."""
    if len(messages) == 1 and messages[0].role == "user":
        return messages[0].content
    return "\n\n".join(f"{message.role}: {message.content}" for message in messages)
