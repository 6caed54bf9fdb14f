"""The procedure that lets a target work as an agent in the office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from buttress.probes.behaviour.agents.defences import selection_question
from buttress.probes.behaviour.agents.prompting import broken_message, result_message, with_tools
from buttress.probes.behaviour.agents.session import AgentSession
from buttress.probes.behaviour.agents.setting import Setting
from buttress.probes.behaviour.agents.transcript import write_transcript
from buttress.protocols.procedure import Conversation, Dialogue
from buttress.targets.base import Message

if TYPE_CHECKING:
    from buttress.protocols.probe import TrialSpec

STEPS: Final = 8


class OfficeAgent:
    """Asks until the agent has its last word, or its questions are spent.

    ``spec.tag`` names the trial (see ``setting``). The dialogue's text is the transcript.
    """

    id: Final = "office-agent"
    version: Final = "1"  # also of the office, its tasks, goals and wordings
    calls: Final = STEPS
    needs_attacker: Final = False

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        """Carry out the trial.

        Raises:
            ValueError: the tag names no trial of the office.
            TargetError: from the conversation.
        """
        setting = Setting.of_tag(spec.tag)
        session = AgentSession(setting)
        messages = spec.messages
        if "filter" in setting.defences:
            question = (*messages[:-1], Message("user", selection_question(setting)))
            messages = with_tools(messages, session.select(await conversation.ask(question)))
        while session.final is None and conversation.left > 0:
            answer = await conversation.ask(messages)
            results, problem = session.take(answer)
            if session.final is not None:
                break
            told = broken_message(setting, problem) if problem else result_message(setting, results)
            messages = (*messages, Message("assistant", answer), told)
        return Dialogue(messages, write_transcript(session.turns))
