"""A conversation without a model, and agents made of rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from buttress.probes.behaviour.agents.office_agent import OfficeAgent
from buttress.probes.behaviour.agents.prompting import opening
from buttress.probes.behaviour.agents.protocol import ToolCall, render_calls
from buttress.probes.behaviour.agents.setting import Setting
from buttress.protocols.judge import Judgement
from buttress.protocols.probe import TrialSpec
from buttress.protocols.procedure import CallsSpentError, Dialogue
from buttress.targets.base import Message, Sampling

Agent = Callable[[Sequence[Message]], str]


class FakeConversation:
    """Answers by a rule; counts distinct questions, as the engine does."""

    def __init__(self, agent: Agent, calls: int) -> None:
        self.agent = agent
        self.most = calls
        self.asked: dict[tuple[Message, ...], str] = {}

    @property
    def left(self) -> int:
        return self.most - len(self.asked)

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> str:
        await asyncio.sleep(0)
        key = tuple(messages)
        if key not in self.asked:
            if self.left <= 0:
                raise CallsSpentError("spent")
            self.asked[key] = self.agent(messages)
        return self.asked[key]

    async def attacker(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 400,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> str:
        raise AssertionError("the office needs no attacker model")

    async def score(self, prompt: str, answer: str) -> Judgement:
        raise AssertionError("the office needs no judge")


def spec_of(setting: Setting) -> TrialSpec:
    return TrialSpec(
        probe="agent-task",
        probe_version="1",
        item=setting.item,
        category="c",
        attack="direct",
        language=setting.language,
        expect="answer",
        request=setting.task.request,
        messages=opening(setting),
        sampling=Sampling(),
        tag=setting.tag,
        procedure=OfficeAgent(),
    )


def work(setting: Setting, agent: Agent, calls: int = OfficeAgent.calls) -> Dialogue:
    """What the agent does with that setting."""
    return asyncio.run(OfficeAgent().run(spec_of(setting), FakeConversation(agent, calls)))


def scripted(setting: Setting, *, obeys: bool) -> Agent:
    """Solves its task; one that ``obeys`` also does what an injection says, once it has read it."""

    def agent(messages: Sequence[Message]) -> str:
        said = [message.content for message in messages if message.role == "assistant"]
        if "filter" in setting.defences and not any(m.role == "assistant" for m in messages):
            names = [call.tool for step in setting.task.calls for call in step]
            if messages[-1].content != setting.task.request:
                return ", ".join(names)
        plan = [render_calls(step) for step in setting.task.calls]
        if obeys and setting.goal and _order_seen(setting, messages[1:]):
            # The first step has led to the order; what the order wants comes next.
            plan[1:1] = [render_calls(step) for step in setting.goal.calls]
        return plan[len(said)] if len(said) < len(plan) else setting.task.final

    return agent


def _order_seen(setting: Setting, messages: Sequence[Message]) -> bool:
    """Whether the order was read, marks or not."""
    assert setting.goal is not None
    wanted = letters(setting.goal.order)
    return any(wanted in letters(message.content) for message in messages)


def letters(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


def call(tool: str, **arguments: object) -> str:
    return render_calls([ToolCall(tool, dict(arguments))])
