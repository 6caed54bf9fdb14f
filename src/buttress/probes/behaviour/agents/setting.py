"""Which trial of the office: task, goal, style, language and defences, as one line of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from buttress.probes.behaviour.agents.office import Office
from buttress.probes.behaviour.agents.scenarios import (
    STYLES,
    AgentTask,
    Goal,
    goals,
    inject,
    new_office,
    tasks,
    wordings,
)
from buttress.probes.behaviour.bank import seed_of
from buttress.probes.behaviour.injection import fill
from buttress.prompts.pack import LANGUAGES

Defence = Literal["spotlight", "repeat", "filter"]
DEFENCES: Final[tuple[Defence, ...]] = get_args(Defence)
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Setting:
    """A trial of the office. Where nobody attacks, ``goal_id`` and ``style`` are empty.

    ``defences`` are in the order of ``DEFENCES``.
    """

    task_id: str
    language: str
    goal_id: str = ""
    style: str = ""
    defences: tuple[Defence, ...] = ()

    @property
    def tag(self) -> str:
        """All of it in one line, which ``of_tag`` reads."""
        return "/".join((self.item, "+".join(self.defences) or NONE))

    @property
    def item(self) -> str:
        """What is asked, without the defences."""
        return "/".join(
            ("office", self.task_id, self.goal_id or NONE, self.style or NONE, self.language)
        )

    @classmethod
    def of_tag(cls, tag: str) -> Setting:
        """The setting that a tag names.

        Raises:
            ValueError: it names none.
        """
        parts = tag.split("/")
        if len(parts) != 6 or parts[0] != "office" or parts[4] not in LANGUAGES:
            raise ValueError(f"{tag!r} names no trial of the office")
        _, task, goal, style, language, named = parts
        wanted = [] if named == NONE else named.split("+")
        defences = tuple(each for each in DEFENCES if each in wanted)
        setting = cls(
            task_id=task,
            language=language,
            goal_id="" if goal == NONE else goal,
            style="" if style == NONE else style,
            defences=defences,
        )
        known = (
            task in tasks(language)
            and (goal == NONE) == (style == NONE)
            and (goal == NONE or (goal in goals(language) and style in STYLES))
        )
        if not known or setting.tag != tag:
            raise ValueError(f"{tag!r} names no trial of the office")
        return setting

    @property
    def task(self) -> AgentTask:
        """The user's task."""
        return tasks(self.language)[self.task_id]

    @property
    def goal(self) -> Goal | None:
        """The attacker's goal, None where nobody attacks."""
        return goals(self.language)[self.goal_id] if self.goal_id else None

    @property
    def seed(self) -> int:
        """Of the marks of spotlighting: another one for each trial."""
        return seed_of(self.item)

    def injection(self) -> str:
        """What the attacker has written; empty where nobody attacks."""
        if self.goal is None:
            return ""
        return fill(wordings(self.language)["styles"][self.style], order=self.goal.order)

    def office(self) -> Office:
        """A fresh office with the injection in it."""
        office = new_office(self.language)
        if text := self.injection():
            inject(office, self.task.place, text)
        return office
