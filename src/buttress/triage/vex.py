"""Statements about vulnerabilities, and which of them clear a finding.

A statement is about a vulnerability in a package (a package URL), or, where we wrote it ourselves,
about a rule or a package in a file (``urn:buttress:file:PATH``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from buttress.evidence.findings import Finding
from buttress.evidence.places import LocatedFinding
from buttress.files.paths import absolute
from buttress.triage import package_url
from buttress.triage.package_url import PackageUrl

FILE_URN: Final = "urn:buttress:file:"
STATUSES: Final = ("not_affected", "fixed", "affected", "under_investigation")
_CLEARS: Final = ("not_affected", "fixed")
_NO_IDS: Final = ("CWE-", "LLM", "AML.", "pkg:")  # references that name no vulnerability


@dataclass(frozen=True, slots=True)
class VexSubject:
    """A package, a file, or a package in a file; the file's path as in ``LocatedFinding.below``."""

    package: PackageUrl | None
    file: str = ""

    def holds(self, one: LocatedFinding, folder: str) -> bool:
        """Whether the finding is in it; file names count from ``folder``."""
        if self.file and one.below(folder) != self.file:
            return False
        if self.package is None:
            return bool(self.file)
        return any(self.package.covers(each) for each in package_url.of_finding(one.finding))


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says of vulnerabilities, named by all their ids, in subjects.

    Without subjects it is about nothing here.
    """

    ids: frozenset[str]
    subjects: tuple[VexSubject, ...]
    status: str
    justification: str
    reason: str
    time: datetime
    file: str

    def about(self, one: LocatedFinding, folder: str) -> bool:
        """Whether it speaks of what the finding is in; file names count from ``folder``."""
        return any(subject.holds(one, folder) for subject in self.subjects)


def subjects(identifiers: Sequence[str], file: str = "") -> tuple[VexSubject, ...]:
    """The subjects that identifiers name: package URLs, in ``file`` if given, and our files."""
    found: list[VexSubject] = []
    for one in identifiers:
        if one.startswith(FILE_URN):
            found.append(VexSubject(None, unquote(one.removeprefix(FILE_URN))))
        elif (package := package_url.parse(one)) is not None:
            found.append(VexSubject(package, unquote(file.removeprefix(FILE_URN))))
    return tuple(found)


class Statements(list[Statement]):
    """The statements of a file, the oldest first."""

    @cached_property
    def by_id(self) -> Mapping[str, Sequence[int]]:
        """For each id of a vulnerability the places of the statements about it, in order."""
        found: dict[str, list[int]] = {}
        for place, one in enumerate(self):
            for name in one.ids:
                found.setdefault(name, []).append(place)
        return found

    def last(self, names: Collection[str], one: LocatedFinding, folder: str) -> Statement | None:
        """The newest about a vulnerability, named by any of its ids, in what the finding is in."""
        places = {place for name in names for place in self.by_id.get(name, ())}
        return next(
            (self[place] for place in sorted(places, reverse=True)
             if self[place].about(one, folder)),
            None,
        )  # fmt: skip


def clearing(one: LocatedFinding, statements: Statements, folder: str) -> Statement | None:
    """The statement by which the finding does not count, if there is one.

    Of several about the same vulnerability the newest holds. A finding about several CVEs is
    cleared only if each of them is.
    """
    last: Statement | None = None
    for names in _vulnerabilities(one.finding):
        last = statements.last(names, one, folder)
        if last is None or last.status not in _CLEARS:
            return None
    return last


def vulnerabilities(finding: Finding) -> list[str]:
    """The ids of vulnerabilities among a finding's references, in their order."""
    return [one for one in finding.references if not one.startswith(_NO_IDS)]


def _vulnerabilities(finding: Finding) -> list[frozenset[str]]:
    """Groups of ids that must each be cleared: one for each CVE, else all other ids together."""
    every = vulnerabilities(finding)
    cves = [one for one in every if one.startswith("CVE-")]
    if len(cves) > 1:
        return [frozenset({one}) for one in cves]
    return [frozenset({*every, finding.rule})]


def folder_of(path: Path) -> str:
    """The folder that file names in a VEX file count from: its own."""
    return absolute(path.parent)
