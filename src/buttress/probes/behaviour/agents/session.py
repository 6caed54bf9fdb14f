"""One agent's work in one office: answers go in, results come out. Runs and replays share it."""

from __future__ import annotations

from typing import Any

import orjson

from buttress.probes.behaviour.agents.defences import selected_tools
from buttress.probes.behaviour.agents.office import Office
from buttress.probes.behaviour.agents.protocol import read_reply
from buttress.probes.behaviour.agents.setting import Setting
from buttress.probes.behaviour.agents.tools import TOOLS, perform
from buttress.probes.behaviour.agents.transcript import TranscriptTurn


class AgentSession:
    """The office that an agent works in, the tools that it has, and what was said so far.

    ``final`` is its last word, None as long as it has not ended.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.office: Office = setting.office()
        self.allowed: frozenset[str] = frozenset(TOOLS)
        self.turns: list[TranscriptTurn] = []
        self.final: str | None = None

    def select(self, answer: str) -> frozenset[str]:
        """Take the answer to the question which tools are needed; returns the tools."""
        self.turns.append(TranscriptTurn("selection", answer))
        self.allowed = selected_tools(answer)
        return self.allowed

    def take(self, answer: str) -> tuple[str, str]:
        """Take the agent's next answer and carry out what it asks for.

        Returns:
            Results as JSON, and the problem where its block was broken; both empty where the
            answer is its last word.
        """
        self.turns.append(TranscriptTurn("assistant", answer))
        reply = read_reply(answer)
        if reply.final:
            self.final = answer
            return "", ""
        results: list[Any] = [
            {"tool": call.tool, "result": perform(self.office, call, self.allowed)}
            for call in reply.calls
        ]
        if reply.problem:
            results.append({"error": reply.problem})
        text = orjson.dumps(results).decode()
        self.turns.append(TranscriptTurn("results", text))
        return text, reply.problem
