"""Runs probes over paths, one after the other or in several processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from buttress import extension
from buttress.errors import FOREIGN_FAILURES, InputError
from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.places import LocatedFinding, located
from buttress.files.tree import Tree
from buttress.inspection.one_path import inspect_tree
from buttress.inspection.options import configured, on_request
from buttress.inspection.unusable import ends_the_run, failed_inspection, load_inspection
from buttress.packs.knowledge import Knowledge
from buttress.processes import WorkerDiedError, run_tasks
from buttress.protocols.inspection import InspectionContext

if TYPE_CHECKING:
    from buttress.protocols.probe import InspectionProbe


class InspectionTask(NamedTuple):
    """One path for one probe, by its name, with the values of its options.

    Tasks of one process that have the same ``tree`` share what it has read.
    """

    probe: str
    values: Mapping[str, str]
    tree: Tree
    knowledge: Knowledge
    run: str

    @property
    def path(self) -> Path:
        """The file or folder."""
        return self.tree.root


@dataclass(slots=True)
class InspectionResults:
    """What all tasks found, in the order of tasks; ``outside`` counts findings not asked for."""

    found: list[LocatedFinding] = field(default_factory=list)
    inspections: list[Inspection] = field(default_factory=list)
    outside: int = 0


def chosen(
    only: Sequence[str] | None, values: Mapping[str, str], also: Sequence[str] = ()
) -> dict[str, InspectionProbe]:
    """The inspection probes, or those that ``only`` names, with options set.

    Probes that run on request only are left out unless ``also`` names them.

    Raises:
        InputError: an unknown probe, one that asks a model, none, or a wrong option.
    """
    names = dict.fromkeys([*extension.names("inspections"), *also]) if only is None else only
    load = load_inspection if only is None else _load_named
    loaded = {name: load(name) for name in names}
    able = {
        name: probe
        for name, probe in loaded.items()
        if hasattr(probe, "inspect") and (only is not None or name in also or not on_request(probe))
    }
    if only is not None and len(able) < len(loaded):
        wrong = next(name for name in loaded if name not in able)
        raise InputError(
            f"probe '{wrong}' asks a model and can't inspect files",
            field="--only",
            expected="probes that yield findings, see `buttress probes`",
        )
    if not able:
        raise InputError("no probe is named", field="--only", expected="PROBE,…")
    return dict(zip(able, configured(list(able.values()), values), strict=True))


def _load_named(name: str) -> InspectionProbe:
    if name not in extension.names("probes"):
        inspecting = extension.names("inspections")
        raise InputError(
            f"unknown probe '{name[:60]}'",
            field="--only", expected=f"one of {', '.join(inspecting)}",
        )  # fmt: skip
    probe: InspectionProbe = extension.load("probes", name)
    return probe


def inspect_all(
    tasks: Sequence[InspectionTask],
    jobs: int,
    wanted: Callable[[LocatedFinding, InspectionTask], bool],
) -> InspectionResults:
    """Carry out the tasks in ``jobs`` processes; findings that are not ``wanted`` are counted."""
    seen = InspectionResults()
    for task, outcome in zip(tasks, run_tasks(_one, tasks, jobs), strict=True):
        for record in _ended(task, outcome) if isinstance(outcome, WorkerDiedError) else outcome:
            if isinstance(record, Inspection):
                seen.inspections.append(record)
                continue
            one = located(record, task.path)
            if wanted(one, task):
                seen.found.append(one)
            else:
                seen.outside += 1
    return seen


def _ended(task: InspectionTask, error: WorkerDiedError) -> list[Finding | Inspection]:
    probe = load_inspection(task.probe)
    return [failed_inspection(probe.id, probe.version, task.path.as_posix(), error)]


def _one(task: InspectionTask) -> list[Finding | Inspection]:
    """In whatever process: so the probe is loaded by its name."""
    (probe,) = configured([load_inspection(task.probe)], task.values)
    context = InspectionContext(task.path.as_posix(), task.tree, task.knowledge)
    try:
        return inspect_tree(probe, context, task.run)
    except FOREIGN_FAILURES as error:
        if ends_the_run(probe, error):
            raise
        return [failed_inspection(probe.id, probe.version, context.asset, error)]
