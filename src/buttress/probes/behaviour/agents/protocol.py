"""Tool calls as text: how an agent writes them, and how they are read from whatever it says.

A call is a JSON object with ``tool`` and ``arguments``. The usual other spellings (``name``,
``function``; ``args``, ``parameters``, ``input``; arguments as JSON in a string) are read too. An
object counts as a call only where it stands in a fenced block, in ``<tool_call>`` tags, or at the
start of a line: JSON within a sentence is something that the agent talks about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

MAX_TEXT: Final = 20_000  # characters read
MAX_CALLS: Final = 12  # of one answer
_MAX_STARTS: Final = 64  # places tried, so that a text of brackets costs little
_START: Final = re.compile(r"(?:```[\w-]*|<tool_call>|^)\s*(?=[{\[])", re.MULTILINE)
_NAMES: Final = ("tool", "name", "function")
_ARGUMENTS: Final = ("arguments", "args", "parameters", "input")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool's name and the arguments it is called with, as they came: not yet checked."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentReply:
    """What an answer asks for. ``problem`` says why something that looks like a call is none."""

    calls: tuple[ToolCall, ...] = ()
    problem: str = ""

    @property
    def final(self) -> bool:
        """Whether the answer asks for nothing, so that it is the agent's last word."""
        return not self.calls and not self.problem


def render_calls(calls: Sequence[ToolCall]) -> str:
    """The calls in a fenced block, as ``read_reply`` reads them back."""
    content = [{"tool": call.tool, "arguments": call.arguments} for call in calls]
    text = orjson.dumps(content).decode().replace("</think>", "<\\/think>")
    return f"```json\n{text}\n```"


def read_reply(text: str) -> AgentReply:
    """The calls in an answer, in order; never raises, whatever the text is."""
    text = text.rpartition("</think>")[2][:MAX_TEXT]
    calls: list[ToolCall] = []
    problem = ""
    for value in _values(text):
        if value is None:
            problem = problem or "not valid JSON"
            continue
        for entry in value if isinstance(value, list) else [value]:
            call = _call(entry)
            if call is not None:
                calls.append(call)
    return AgentReply(tuple(calls[:MAX_CALLS]), "" if calls else problem)


def _values(text: str) -> Iterator[Any]:
    """JSON objects and lists where calls may stand; None for one that names a tool but is broken.

    Whole values are cut out by their brackets, so that fences within strings do no harm.
    """
    end = 0
    for number, match in enumerate(_START.finditer(text)):
        if number == _MAX_STARTS:
            return
        start = match.end()
        if start < end:
            continue
        stop = _closing(text, start)
        piece = text[start:stop] if stop else text[start:]
        try:
            value = orjson.loads(piece)
        except orjson.JSONDecodeError:
            if re.search(r"[\"'](?:tool|name|function)[\"']\s*:", piece):
                yield None
            continue
        end = stop
        yield value


def _closing(text: str, start: int) -> int:
    """The end of the bracketed value that begins at ``start``; 0 where it doesn't end."""
    depth, quoted, place = 0, False, start
    while place < len(text):
        sign = text[place]
        if quoted:
            if sign == "\\":
                place += 1
            elif sign == '"':
                quoted = False
        elif sign == '"':
            quoted = True
        elif sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return 0


def _call(entry: Any) -> ToolCall | None:
    if not isinstance(entry, dict):
        return None
    if isinstance(entry.get("function"), dict):  # {"type": "function", "function": {...}}
        return _call(entry["function"])
    given = next((entry[key] for key in _ARGUMENTS if key in entry), None)
    tool = next((entry[key] for key in _NAMES if isinstance(entry.get(key), str)), None)
    if tool is None or (given is None and "tool" not in entry):
        return None
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            return ToolCall(tool)
    return ToolCall(tool, given if isinstance(given, dict) else {})
