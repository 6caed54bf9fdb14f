"""Recorded answers, as the replay target takes them, from runs of other tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import orjson

from buttress.errors import InputError
from buttress.files.atomic import atomic_file
from buttress.targets.address import flatten
from buttress.targets.base import Message

EXPECT: Final = ("refuse", "answer")
_ROLES: Final[dict[str, Literal["system", "user", "assistant"]]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """What the user wants of a conversion.

    ``expect`` is for records that don't say what a safe model does; ``category`` names the
    metadata field that holds the category; ``unfinished`` accepts runs that broke off.
    """

    expect: str | None = None
    category: str = "category"
    unfinished: bool = False


@dataclass(slots=True)
class SkippedAnswers:
    """Answers of a run that no record could be made of, counted by reason."""

    reasons: Counter[str] = field(default_factory=Counter)

    def __call__(self, reason: str) -> None:
        """Count one."""
        self.reasons[reason] += 1


@dataclass(frozen=True, slots=True)
class ReplayPrompt:
    """What a target was asked. ``request`` is the user's part, where the prompt holds more."""

    prompt: str
    request: str = ""


def as_asked(turns: Sequence[tuple[str, str]]) -> ReplayPrompt | None:
    """(role, text) turns as one prompt, in the form that the evidence uses for chats.

    None where a turn is none of system, user and assistant: a tool's result can't be replayed.
    """
    if any(role not in _ROLES for role, _ in turns):
        return None
    messages = tuple(Message(_ROLES[role], text) for role, text in turns)
    spoken = [message for message in messages if message.role != "system"]
    lone = len(spoken) == 1 < len(messages) and spoken[0].role == "user"
    return ReplayPrompt(flatten(messages), spoken[0].content if lone else "")


def record(
    *, prompt: str, response: str, expect: Any, tokens: tuple[int, int], **others: Any
) -> dict[str, Any]:
    """One recorded answer; what is empty or says nothing new is left away."""
    made: dict[str, Any] = {"prompt": prompt, "response": response}
    if expect in EXPECT:
        made["expect"] = expect
    made.update({name: value for name, value in others.items() if value not in (None, "", {})})
    if others.get("request") == prompt:
        del made["request"]
    if any(tokens):
        made["prompt_tokens"], made["completion_tokens"] = tokens
    return made


def write_file(records: Iterable[Mapping[str, Any]], path: Path, *, replace: bool) -> int:
    """Write records as JSON Lines, all or nothing, and return how many.

    Raises:
        InputError: the file exists and ``replace`` is not set, or can't be written.
    """
    if path.exists() and not replace:
        raise InputError("exists", file=str(path), expected="another name, or --force")
    with atomic_file(path) as file:
        return write_lines(records, file)


def write_lines(records: Iterable[Mapping[str, Any]], file: BinaryIO) -> int:
    """Write records as JSON Lines to an open file and return how many."""
    count = 0
    for count, each in enumerate(records, 1):  # noqa: B007
        file.write(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE))
    return count
