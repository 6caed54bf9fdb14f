"""What agents are configured with, and what models say when their answers are read by machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buttress.answers import replies
from buttress.answers.choice_reading import read_choice
from buttress.judges.rubrics import RUBRICS
from buttress.probes.agents import bytecode
from buttress.probes.agents.probe import PROBE
from buttress.probes.behaviour.agents.protocol import read_reply, render_calls
from fuzz.harness import InvariantError, Run, Target, inspected

FILES: Final = {
    "agent-servers": ".mcp.json",
    "agent-tools": "tools.json",
    "agent-settings": ".claude/settings.json",
    "agent-toml": ".codex/config.toml",
    "agent-skill": "SKILL.md",
    "agent-rules": "AGENTS.md",
    "agent-yaml": "agents.yaml",
    "agent-python": "server.py",
    "agent-typescript": "server.ts",
    "agent-go": "server.go",
    "agent-java": "Server.java",
    "agent-prompt": "a.prompt",
}
_MOST: Final = 5


def _file(name: str) -> Run:
    return lambda data: inspected(PROBE, name, data)


def _bytecode(data: bytes) -> object:
    subjects = bytecode.bytecode(Path("__pycache__/a.pyc"), data)
    # What is told can be shown.
    return [(one.kind, str(one.value).encode()) for one in subjects]


def _search_reply(data: bytes) -> object:
    text = data.decode("utf-8", "surrogateescape")
    listed = replies.items(text, "prompts", _MOST)
    if len(listed) > _MOST or len(set(listed)) != len(listed):
        raise InvariantError("too many items, or one of them twice")
    told = (
        replies.field(text, "prompt"),
        replies.section(text, ("prompt", "提示"), ("improvement", "改进")),
        replies.verdict(text),
        *listed,
    )
    for one in told:
        if isinstance(one, str):
            one.encode()  # what goes to a model has to be encodable
    return told


def _calls(data: bytes) -> object:
    reply = read_reply(data.decode("utf-8", "replace"))
    again = read_reply(render_calls(reply.calls))
    if again.calls != reply.calls:
        raise InvariantError(f"calls read back as others: {reply.calls!r} and {again.calls!r}")
    return reply


def _choice(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    for options in (("Yes", "No"), ("the nurse", "the doctor", "cannot be known"), tuple("北南东")):
        found = read_choice(text, options, unknown=len(options) - 1)
        if found is not None and not 0 <= found.place < len(options):
            raise InvariantError(f"option {found.place} of {len(options)}")
    return read_choice(text, ("a", "b", "c", "d"))


def _judgement(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return [
        (rubric.read(text, "refuse"), rubric.read(text, "answer")) for rubric in RUBRICS.values()
    ]


TARGETS: Final = (
    *(Target(name, _file(file)) for name, file in FILES.items()),
    Target("agent-bytecode", _bytecode),
    Target("search-reply", _search_reply),
    Target("agent-calls", _calls),
    Target("choice", _choice),
    Target("judge-reply", _judgement),
)
