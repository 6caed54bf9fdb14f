"""The examination of one file, as a report that can go from one process to another."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from buttress.files.byte_source import FileSource
from buttress.files.tree import Tree
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.pickles.judge import OWN_LISTS, NameLists
from buttress.probes.artifacts.recognise import examine
from buttress.probes.artifacts.scope import FileTally, Scope

AnyPath = TypeVar("AnyPath", str, Path)
_MAX_ISSUES: Final = 200


@dataclass(slots=True)
class FileReport:
    """``read``: bytes from disk. ``error``: why the file could not be examined."""

    issues: list[ArtifactIssue] = field(default_factory=list)
    read: int = 0
    unread: list[str] = field(default_factory=list)
    recognised: int = 0
    error: str | None = None
    binary: bool = False  # by its head

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_plain(cls, data: dict[str, Any]) -> FileReport:
        """From what ``plain`` gave."""
        return cls(**(data | {"issues": [ArtifactIssue(**one) for one in data["issues"]]}))


def examine_file(
    path: str | Path, tree: Tree | None = None, names: NameLists = OWN_LISTS
) -> FileReport:
    """Everything that is found in one file.

    Args:
        path: of the file.
        tree: what may have read it before.
        names: what is known of names that files make their loader import.
    """
    tally, report = FileTally(path, names), FileReport()
    try:
        with FileSource(path, tally.meter, tree) as source:
            report.binary = source.binary
            scope = Scope(tally)
            report.issues += islice(examine(source, scope), _MAX_ISSUES + 1)
            if len(report.issues) > _MAX_ISSUES:
                message = f"More than {_MAX_ISSUES} findings; the file was not examined further."
                report.issues[_MAX_ISSUES:] = [scope.not_searched(0, message)]
    except OSError as error:  # what was found before still counts
        report.error = error.strerror or str(error)
    report.read = min(tally.meter.read, tally.meter.size)  # a part that is read twice counts once
    report.unread = tally.unread
    report.recognised = tally.recognised
    return report
