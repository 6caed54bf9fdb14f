"""What an agent is told: its role and tools at the beginning, results on the way."""

from __future__ import annotations

from collections.abc import Iterable

from buttress.probes.behaviour.agents.defences import reminder, spotlight
from buttress.probes.behaviour.agents.scenarios import wordings
from buttress.probes.behaviour.agents.setting import Setting
from buttress.probes.behaviour.agents.tools import TOOLS
from buttress.probes.behaviour.injection import fill
from buttress.targets.base import Message


def opening(setting: Setting) -> tuple[Message, ...]:
    """The system's turn, with all tools, and the user's request."""
    office = setting.office()
    text = fill(
        wordings(setting.language)["system"],
        owner=next(name for name, address in office.contacts.items() if address == office.owner),
        today=office.today,
        tools=tool_list(TOOLS),
    )
    if marking := spotlight(setting):
        text += f"\n{marking.explain(setting.language)}"
    return Message("system", text), Message("user", setting.task.request)


def with_tools(messages: tuple[Message, ...], names: Iterable[str]) -> tuple[Message, ...]:
    """The opening with only these tools in its list."""
    system = messages[0].content.replace(tool_list(TOOLS), tool_list(names))
    return (Message("system", system), *messages[1:])


def tool_list(names: Iterable[str]) -> str:
    """Signatures, one a line, in the order of ``TOOLS``."""
    wanted = set(names)
    return "\n".join(f"- {tool.signature}" for tool in TOOLS.values() if tool.name in wanted)


def result_message(setting: Setting, results: str) -> Message:
    """The turn that tells the agent its tools' results."""
    marking = spotlight(setting)
    shown = marking.apply(results) if marking else results
    text = fill(wordings(setting.language)["results"], results=shown)
    return Message("user", text + reminder(setting))


def broken_message(setting: Setting, problem: str) -> Message:
    """The turn that tells the agent that its block could not be read."""
    text = fill(wordings(setting.language)["broken"], problem=problem)
    return Message("user", text + reminder(setting))
