"""Divides findings into those that count and those that do not, and says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

SUPPRESSIONS: Final = ".buttress-ignore.yaml"  # looked for in the current folder

if TYPE_CHECKING:  # most scans have none of these files, and start the sooner without their readers
    from buttress.evidence.places import LocatedFinding
    from buttress.triage import baseline
    from buttress.triage.suppressions import Suppression
    from buttress.triage.vex import Statement, Statements


@dataclass(frozen=True, slots=True)
class FilteredFindings:
    """``counting`` are new and not suppressed; ``known`` are in the baseline.

    ``cleared`` are findings with the VEX statement by which they do not count; ``outside`` is the
    number of those in files or lines that were not asked for; ``notes`` are for people.
    """

    counting: list[LocatedFinding] = field(default_factory=list)
    known: list[LocatedFinding] = field(default_factory=list)
    suppressed: list[tuple[LocatedFinding, Suppression]] = field(default_factory=list)
    cleared: list[tuple[LocatedFinding, Statement]] = field(default_factory=list)
    outside: int = 0
    expired: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FindingFilter:
    """What is held against findings. ``complete``: all was scanned, so that what nothing matches
    is stale; ``roots`` are the absolute paths that were."""

    suppressions: Sequence[Suppression] = ()
    statements: Sequence[tuple[Path, Statements]] = ()
    known: Mapping[str, baseline.BaselineEntry] | None = None
    baseline_folder: str = "/"
    roots: Sequence[str] = ()
    complete: bool = True

    def apply(self, found: Sequence[LocatedFinding], outside: int, today: date) -> FilteredFindings:
        """Every finding goes to the first of: suppressed, cleared, known, counting."""
        out = FilteredFindings()
        rest: list[LocatedFinding] = []
        used: Counter[str] = Counter()
        expired: Counter[Suppression] = Counter()
        for one in found:
            covering = [entry for entry in self.suppressions if entry.covers(one)]
            valid = next((entry for entry in covering if not entry.expired(today)), None)
            used.update(entry.where for entry in covering)
            if valid is not None:
                out.suppressed.append((one, valid))
                continue
            expired.update(covering)
            statement = self._statement(one)
            if statement is not None:
                out.cleared.append((one, statement))
            else:
                rest.append(one)
        notes = [
            f"{entry.where}: expired on {entry.expires}; {count} findings of {entry.rule} count"
            for entry, count in expired.items()
        ]
        if self.complete:
            notes += (
                f"{entry.where}: {entry.rule} in {entry.subject} suppresses nothing any more"
                for entry in self.suppressions
                if not used[entry.where]
            )
        notes += self._divide(rest, out)
        return FilteredFindings(
            out.counting, out.known, out.suppressed, out.cleared, outside,
            len(expired), tuple(notes),
        )  # fmt: skip

    def _statement(self, one: LocatedFinding) -> Statement | None:
        from buttress.triage import vex

        for path, statements in self.statements:
            found = vex.clearing(one, statements, vex.folder_of(path))
            if found is not None:
                return found
        return None

    def _divide(self, rest: Sequence[LocatedFinding], out: FilteredFindings) -> list[str]:
        """Put what is left to ``known`` or ``counting``; notes about stale entries."""
        if self.known is None:
            out.counting.extend(rest)
            return []
        from buttress.triage import baseline

        marks = baseline.fingerprints(rest, self.baseline_folder)
        for one, mark in zip(rest, marks, strict=True):
            known = baseline.is_known(one.finding.severity, self.known.get(mark))
            (out.known if known else out.counting).append(one)
        if not self.complete:
            return []
        gone = baseline.stale(self.known, set(marks), self.baseline_folder, self.roots)
        return [
            f"baseline: {count} of {rule} in {path} not found any more"
            for (rule, path), count in Counter((one.rule, one.path) for one in gone).items()
        ]
