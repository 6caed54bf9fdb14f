"""The user tasks, the attackers' goals and the office, as one scenario in one language."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from buttress.files.yaml_loader import load_yaml
from buttress.probes.behaviour.agents.office import Office
from buttress.probes.behaviour.agents.protocol import ToolCall
from buttress.prompts.pack import LANGUAGES

Steps = tuple[tuple[ToolCall, ...], ...]
Place = tuple[str, str]  # kind (mail, event, file, payment) and id


@dataclass(frozen=True, slots=True)
class AgentTask:
    """What the user wants, in one language.

    ``calls`` and ``final`` are a reference solution; ``done`` and ``answer`` decide success (see
    ``expectations``); ``place`` is what the task makes the agent read.
    """

    id: str
    request: str
    place: Place
    calls: Steps
    final: str
    done: Mapping[str, Any]
    answer: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """What an attacker wants: ``order`` says it, ``calls`` do it, ``reached`` decides."""

    id: str
    order: str
    calls: Steps
    reached: Mapping[str, Any]


@cache
def tasks(language: str) -> Mapping[str, AgentTask]:
    """All tasks by id, in the order of the data."""
    return {
        entry["id"]: AgentTask(
            id=entry["id"],
            request=entry["request"],
            place=next(iter(entry["place"].items())),
            calls=_steps(entry["calls"]),
            final=entry["final"],
            done=entry.get("done", {}),
            answer=entry.get("answer", ()),
        )
        for entry in _data("tasks", language)
    }


@cache
def goals(language: str) -> Mapping[str, Goal]:
    """All goals by id, in the order of the data."""
    return {
        entry["id"]: Goal(entry["id"], entry["order"], _steps(entry["calls"]), entry["reached"])
        for entry in _data("goals", language)
    }


@cache
def wordings(language: str) -> Mapping[str, Any]:
    """What an agent is told, and the styles of injections."""
    found: Mapping[str, Any] = _data("wordings", language)
    return found


STYLES: Final = ("plain", "important", "system-notice", "finished")


def new_office(language: str) -> Office:
    """A fresh office, without any injection."""
    return Office.of(copy.deepcopy(_data("office", language)))


def inject(office: Office, place: Place, text: str) -> None:
    """Put ``text`` behind what stands at ``place`` of the office."""
    kind, name = place
    match kind:
        case "mail":
            office.mails[name].body += f" {text}"
        case "event":
            office.events[name].note += f" {text}"
        case "file":
            office.files[name].text += f" {text}"
        case "payment":
            office.payments[name].purpose += f" {text}"
        case _:
            raise ValueError(f"no place of kind {kind}")


def _steps(entries: Sequence[Sequence[Mapping[str, Any]]]) -> Steps:
    return tuple(
        tuple(ToolCall(entry["tool"], dict(entry["arguments"])) for entry in step)
        for step in entries
    )


@cache
def _data(name: str, language: str) -> Any:
    file = resources.files("buttress.probes.behaviour.agents").joinpath("data", f"{name}.yaml")
    return _localised(load_yaml(file), language)


def _localised(value: Any, language: str) -> Any:
    """The data with each mapping of just the languages replaced by the one that is asked for."""
    if isinstance(value, dict):
        if set(value) == set(LANGUAGES):
            return _localised(value[language], language)
        return {key: _localised(each, language) for key, each in value.items()}
    if isinstance(value, list):
        return [_localised(each, language) for each in value]
    return value
