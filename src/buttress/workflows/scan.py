"""Inspects files and folders without a manifest."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from buttress import extension
from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES, Inspection
from buttress.evidence.places import LocatedFinding
from buttress.files.paths import absolute
from buttress.files.tree import Tree
from buttress.inspection.one_path import KEPT
from buttress.inspection.options import taken
from buttress.inspection.scope import Root, ScanRequest, roots
from buttress.inspection.tasks import InspectionTask, chosen, inspect_all
from buttress.packs.installed import installed
from buttress.packs.knowledge import Knowledge
from buttress.triage.filtering import SUPPRESSIONS, FilteredFindings, FindingFilter

if TYPE_CHECKING:  # most scans need none of these, and start the sooner
    from buttress.protocols.probe import InspectionProbe
    from buttress.triage.suppressions import Suppression
    from buttress.triage.vex import Statements

ACCEPTABLE: Final = 0
FOUND: Final = 1
UNDECIDED: Final = 3
_REQUEST: Final = ScanRequest()


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What to scan and what counts.

    ``only`` are the probes to run, None for all but those that run on request, which ``also``
    names. ``fail_on`` is the least severity of a finding that fails the scan, empty for none;
    with ``fail_on_skipped`` a scan also fails where a file was not searched to its end.
    ``suppressions`` is the file of suppressions, None for the one in the current folder;
    ``diff_lines`` keeps findings on lines that changed. Comments allow findings only in what is
    ``trusted``.
    """

    paths: Sequence[Path]
    request: ScanRequest = _REQUEST
    only: Sequence[str] | None = None
    also: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    jobs: int = 1
    diff_lines: bool = False
    fail_on: str = "high"
    fail_on_skipped: bool = False
    suppressions: Path | None = None
    suppress: bool = True
    trusted: bool = True
    baseline: Path | None = None
    vex: Sequence[Path] = ()


@dataclass(slots=True)
class ScanResult:
    """What a scan found. ``unread`` are given paths of which no probe read a file."""

    id: str
    began: float
    settings: ScanSettings
    roots: list[Path]
    filtered: FilteredFindings
    inspections: list[Inspection]
    unread: list[Path]

    def fails(self, one: LocatedFinding) -> bool:
        """Whether a finding is as grave as ``fail_on``."""
        least = self.settings.fail_on
        return bool(least) and (
            SEVERITIES.index(one.finding.severity) >= list(SEVERITIES).index(least)  # type: ignore[arg-type]
        )

    @property
    def not_searched(self) -> list[str]:
        """What should have been searched and was not, with its probe and path."""
        return [
            f"{one.asset}: {note} ({one.probe})" for one in self.inspections for note in one.unread
        ]

    @property
    def code(self) -> int:
        """0 acceptable, 1 found, 3 undecided, for what was not read proves nothing."""
        if any(map(self.fails, self.filtered.counting)):
            return FOUND
        if self.unread or (self.settings.fail_on_skipped and self.not_searched):
            return UNDECIDED
        return ACCEPTABLE

    def document(self) -> dict[str, Any]:
        """The document ``buttress-scan/1``."""
        from buttress.documents.scan import document

        return document(self.id, self.began, self.roots, self.filtered, self.inspections)


def scan(settings: ScanSettings) -> ScanResult:
    """Inspect, and hold suppressions, baseline and statements against what is found.

    Raises:
        InputError: a path, a probe, an option or a file is not what it must be.
    """
    if settings.diff_lines and settings.request.diff is None:
        raise InputError("needs --diff", field="--diff-lines", expected="--diff REV")
    identifier, began = os.urandom(6).hex(), time.time()
    scope = roots(settings.paths, settings.request)
    probes = chosen(settings.only, settings.options, settings.also)
    knowledge = installed()
    finding_filter = _filter(settings, knowledge)
    trees = _apart(
        [Tree(root.path, root.selection, keep=KEPT, trusted=settings.trusted) for root in scope]
    )
    tasks = [
        InspectionTask(name, taken(probe, settings.options), tree, knowledge, identifier)
        for tree in trees
        for name, probe in probes.items()
    ]
    by_path = {root.path: root for root in scope}
    seen = inspect_all(tasks, settings.jobs, _wanted(settings, by_path))
    found = seen.found
    if len(found) > 1:
        from buttress.triage.duplicates import without_duplicates

        found = without_duplicates(found)
    found.sort(
        key=lambda one: (
            -SEVERITIES.index(one.finding.severity), one.finding.asset, one.finding.location,
        )
    )  # fmt: skip
    today = datetime.now(UTC).date()
    return ScanResult(
        identifier, began, settings,
        [root.path for root in scope],
        finding_filter.apply(found, seen.outside, today),
        seen.inspections,
        [] if _may_be_empty(settings.request) else _unread(settings, seen.inspections, trees),
    )  # fmt: skip


def scan_paths(
    paths: Sequence[Path],
    *,
    only: Sequence[str] | None = None,
    also: Sequence[str] = (),
    options: Mapping[str, str],
    exclude: Sequence[str] = (),
    gitignore: bool = False,
    jobs: int = 1,
) -> dict[str, Any]:
    """The document of a scan of ``paths`` without suppressions; see ``api.scan``.

    Raises:
        InputError: no path, or one that is not there; an unknown probe; a wrong option.
    """
    if not paths:
        raise InputError("no path", field="paths", expected="a file or folder")
    settings = ScanSettings(
        list(paths),
        ScanRequest(None, tuple(exclude), gitignore, None),
        only=only and [*only, *also],
        also=also,
        options=options,
        jobs=jobs,
        suppress=False,
    )
    return scan(settings).document()


def make_known(result: ScanResult, path: Path) -> ScanResult:
    """Write a baseline: what counted until now is known from now on.

    Raises:
        InputError: not writable.
    """
    from buttress.triage import baseline

    every = [*result.filtered.counting, *result.filtered.known]
    baseline.write(every, path)
    return replace(result, filtered=replace(result.filtered, counting=[], known=every))


def _apart(trees: Sequence[Tree]) -> list[Tree]:
    """The trees without those whose files all lie in one that is scanned anyway."""
    if len(trees) < 2:
        return list(trees)
    files = [frozenset(os.path.realpath(file.path) for file in tree.files) for tree in trees]
    kept: list[int] = []
    for index, own in enumerate(files):
        others = (
            files[other]
            for other in range(len(trees))
            if other in kept or (other > index and len(files[other]) > len(own))
        )
        if not own or not any(own <= other for other in others):
            kept.append(index)
    return [trees[index] for index in kept]


def _unread(
    settings: ScanSettings, inspections: Sequence[Inspection], trees: Sequence[Tree]
) -> list[Path]:
    """Paths of which no probe read anything: that nothing was found there proves nothing."""
    read = {one.asset for one in inspections if one.files}
    return [tree.root for tree in trees if tree.root.as_posix() not in read] or (
        list(settings.paths) if not trees else []
    )


def _wanted(settings: ScanSettings, by_path: Mapping[Path, Root]) -> Any:
    def wanted(one: LocatedFinding, task: InspectionTask) -> bool:
        if not task.tree.selection.reads_shown(one.path):
            return False
        return not settings.diff_lines or by_path[task.path].on_new_line(one)

    return wanted


def _filter(settings: ScanSettings, knowledge: Knowledge) -> FindingFilter:
    """All that is held against findings, read before anything is scanned."""
    file = settings.suppressions if settings.suppress else None
    if file is None and settings.suppress and Path(SUPPRESSIONS).exists():
        file = Path(SUPPRESSIONS)
    known = None
    if settings.baseline is not None:
        from buttress.triage import baseline

        known = baseline.read(settings.baseline)
    return FindingFilter(
        suppressions=_suppressions(file, knowledge) if file is not None else [],
        statements=_statements(settings.vex) if settings.vex else [],
        known=known,
        baseline_folder=absolute(settings.baseline.parent) if settings.baseline else "/",
        roots=[absolute(path) for path in settings.paths],
        complete=settings.only is None and not _is_narrow(settings.request),
    )


def _statements(files: Sequence[Path]) -> list[tuple[Path, Statements]]:
    from buttress.triage import vex_file

    return [(path, vex_file.load(path)) for path in files]


def _suppressions(file: Path, knowledge: Knowledge) -> list[Suppression]:
    from buttress.inspection.known_rules import rule_ids
    from buttress.triage import suppressions

    entries = suppressions.load(file)
    known = rule_ids(_all_probes(), knowledge) if entries else None
    if known is not None:
        suppressions.check_rules(entries, known)
    return entries


def _all_probes() -> list[InspectionProbe]:
    """Whatever runs now: a suppression may be for a probe that ``only`` leaves out."""
    return list(chosen(None, {}, list(extension.names("inspections"))).values())


def _may_be_empty(request: ScanRequest) -> bool:
    """Whether it is usual that no file is left: nothing changed, or a hook names other kinds."""
    return bool(request.diff or request.within)


def _is_narrow(request: ScanRequest) -> bool:
    return bool(request.diff or request.within or request.exclude or request.gitignore)
