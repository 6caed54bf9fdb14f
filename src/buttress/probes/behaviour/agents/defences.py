"""What is put between an agent and an injection, as AgentDojo (section 4.3) lists them.

- ``spotlight``: the tools' results have a mark between all words, and the agent is told why.
- ``repeat``: behind each result, the user's request is said again.
- ``filter``: the agent chooses its tools before it has read anything, and gets only these.
"""

from __future__ import annotations

import re

from buttress.probes.behaviour.agents.scenarios import wordings
from buttress.probes.behaviour.agents.setting import Setting
from buttress.probes.behaviour.agents.tools import TOOLS
from buttress.probes.behaviour.injection import fill
from buttress.probes.behaviour.injection.spotlighting import Spotlight


def spotlight(setting: Setting) -> Spotlight | None:
    """The marking of results, where the setting has it."""
    return Spotlight("datamark", setting.seed) if "spotlight" in setting.defences else None


def selection_question(setting: Setting) -> str:
    """What the agent is asked first under ``filter``."""
    return fill(wordings(setting.language)["select"], request=setting.task.request)


def selected_tools(answer: str) -> frozenset[str]:
    """The tools that an answer names; any text names some or none."""
    return frozenset(re.findall(r"[a-z]+(?:_[a-z]+)*", answer.lower())) & TOOLS.keys()


def reminder(setting: Setting) -> str:
    """What is said behind each result; empty without ``repeat``."""
    if "repeat" not in setting.defences:
        return ""
    return "\n\n" + fill(wordings(setting.language)["repeat"], request=setting.task.request)
