"""A conversation with tools as one text that can be read back exactly.

Each turn has a head line ``=== ROLE`` and then its content, every line of which begins with ``> ``,
so that no content can be taken for a head.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

Role = Literal["selection", "assistant", "results"]
_HEAD: Final = "=== "
_LINE: Final = "> "


@dataclass(frozen=True, slots=True)
class TranscriptTurn:
    """What was said: by the agent (``assistant``; ``selection`` where it chose its tools), or by
    the tools (``results``).
    """

    role: Role
    content: str


def write_transcript(turns: Iterable[TranscriptTurn]) -> str:
    """The turns as text."""
    lines: list[str] = []
    for turn in turns:
        lines.append(_HEAD + turn.role)
        lines += [_LINE + line for line in turn.content.split("\n")]
    return "\n".join(lines)


def read_transcript(text: str) -> list[TranscriptTurn]:
    """The turns of a transcript.

    Raises:
        ValueError: the text is none; the message names the line.
    """
    turns: list[tuple[Role, list[str]]] = []
    for number, line in enumerate(text.split("\n") if text else [], 1):
        if line.startswith(_LINE) and turns:
            turns[-1][1].append(line.removeprefix(_LINE))
            continue
        role = line.removeprefix(_HEAD)
        for known in get_args(Role):
            if line.startswith(_HEAD) and role == known:
                turns.append((known, []))
                break
        else:
            raise ValueError(f"line {number} is neither a turn's head nor its content")
    if any(not lines for _, lines in turns):
        raise ValueError("a turn has no content")
    return [TranscriptTurn(role, "\n".join(lines)) for role, lines in turns]
