"""Probes of agents: is the attacker's goal reached, is the user's task done?

A trial serves both questions: the specs differ only in probe and check, and come in the same order,
so that a target is asked once. Task undone under attack against ``agent-task-benign`` shows what an
attack costs even where it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from buttress.evidence.records import Expect
from buttress.probes.behaviour.agents.office_agent import OfficeAgent
from buttress.probes.behaviour.agents.prompting import opening
from buttress.probes.behaviour.agents.replay import hijacked, undone
from buttress.probes.behaviour.agents.scenarios import STYLES, goals, tasks
from buttress.probes.behaviour.agents.setting import Defence, Setting
from buttress.probes.behaviour.bank import languages, seed_of, under_system_prompt
from buttress.prompts.pack import LANGUAGES
from buttress.protocols.judge import Judgement
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialSpec
from buttress.statistics.trial_order import order
from buttress.targets.base import Sampling

Outcome = Callable[[Setting, str], Judgement]
MAX_TOKENS: Final = 320  # of one answer at least: a call with a mail's text must fit
AGENT: Final = OfficeAgent()


@dataclass(frozen=True, slots=True)
class OfficeProbe:
    """All pairs of task and goal in a seeded random order, each in one style; or all tasks.

    ``outcome`` decides from setting and transcript.
    """

    id: str
    title: str
    outcome: Outcome
    attacked: bool = True
    defences: tuple[Defence, ...] = ()
    version: str = "1"
    expect: Expect = "answer"
    exact: bool = True

    @property
    def attack(self) -> str:
        """Id of the attack family."""
        return "injection" if self.attacked else "direct"

    def stream(self, context: TrialContext) -> Iterator[TrialSpec]:
        """Trials in a random permutation.

        Raises:
            NotCoveredError: the target is a recording, or has no language of the office.
        """
        settings = self._settings(context)
        # One seed for all office probes, so that hijack and task come upon the same trials.
        seed = seed_of(context.seed, AGENT.id)
        prompts = [_scenario(setting) for setting in settings] if context.by_prompt else None
        places = order([setting.goal_id for setting in settings], seed, prompts=prompts)
        return (replace(self._spec(settings[place], context), draw=draw) for place, draw in places)

    def size(self, context: TrialContext) -> int:
        """Number of trials in ``stream``.

        Raises:
            NotCoveredError: as ``stream``.
        """
        return len(self._settings(context))

    def _settings(self, context: TrialContext) -> list[Setting]:
        if context.recorded is not None:
            raise NotCoveredError("a recording can't work with tools")
        wanted = languages(context)
        found = [
            setting
            for language in LANGUAGES
            if language in wanted
            for setting in settings(language, attacked=self.attacked, defences=self.defences)
        ]
        if not found:
            raise NotCoveredError("no task in " + ", ".join(sorted(wanted)))
        return found

    def _spec(self, setting: Setting, context: TrialContext) -> TrialSpec:
        return TrialSpec(
            probe=self.id,
            probe_version=self.version,
            item=setting.item,
            category=setting.goal_id or "no-attack",
            attack=f"injection-{setting.style}" if setting.style else "direct",
            language=setting.language,
            expect=self.expect,
            request=setting.task.request,
            messages=under_system_prompt(opening(setting), context.system_prompt),
            sampling=Sampling(max_tokens=max(context.max_tokens, MAX_TOKENS), seed=context.seed),
            tag=setting.tag,
            check=partial(self.outcome, setting),
            procedure=AGENT,
            cluster=_scenario(setting),
        )


def _scenario(setting: Setting) -> str:
    """The pair of task and goal, whatever the language and the style."""
    return f"{setting.task_id}/{setting.goal_id or 'no-attack'}"


def settings(language: str, *, attacked: bool, defences: tuple[Defence, ...] = ()) -> list[Setting]:
    """All trials in a language: each pair of task and goal in one style, or each task alone.

    Styles go round so that each goal and each task meets all of them.
    """
    if not attacked:
        return [Setting(task, language, defences=defences) for task in tasks(language)]
    return [
        Setting(task, language, goal, STYLES[(row + column) % len(STYLES)], defences)
        for row, task in enumerate(tasks(language))
        for column, goal in enumerate(goals(language))
    ]


DEFENDED: Final[tuple[Defence, ...]] = ("spotlight", "repeat")
HIJACK: Final = OfficeProbe("agent-hijack", "Agent hijacking", hijacked)
HIJACK_DEFENDED: Final = OfficeProbe(
    "agent-hijack-defended", "Agent hijacking, with defences", hijacked, defences=DEFENDED
)
TASK: Final = OfficeProbe("agent-task", "Agent task success under attack", undone)
TASK_DEFENDED: Final = OfficeProbe(
    "agent-task-defended",
    "Agent task success under attack, with defences",
    undone,
    defences=DEFENDED,
)
TASK_BENIGN: Final = OfficeProbe(
    "agent-task-benign", "Agent task success without attack (control)", undone, attacked=False
)
PROBES: Final[Mapping[str, OfficeProbe]] = {
    probe.id: probe for probe in (HIJACK, HIJACK_DEFENDED, TASK, TASK_DEFENDED, TASK_BENIGN)
}
