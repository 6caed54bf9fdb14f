"""Where in a file an examination stands, and how far it may still go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from buttress.evidence.findings import Severity
from buttress.files.byte_source import ByteSource, ExpansionError, ResourceMeter
from buttress.files.visible import shortened, visible
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.pickles.judge import OWN_LISTS, NameLists

MAX_DEPTH: Final = 5  # containers within containers
_MAX_UNREAD: Final = 20
MAX_PARTS: Final = 200_000  # members and nested streams examined below one file


@dataclass(slots=True)
class FileTally:
    """Counts for one whole file. ``path`` is where it lies, for formats made of several files."""

    path: str | Path | None = None
    names: NameLists = OWN_LISTS
    meter: ResourceMeter = field(default_factory=ResourceMeter)
    parts: int = 0
    recognised: int = 0
    unread: list[str] = field(default_factory=list)  # what was not looked at, and why


class Scope(NamedTuple):
    """A place: the path of member names that leads to it, joined by ``!``.

    ``base``: offset at which what is examined begins, where blanks lie in front of it.
    """

    tally: FileTally
    where: str = ""
    depth: int = 0
    raw: bool = False  # numbers, of a tensor say: only formats with a mark of their own count
    base: int = 0

    def at(self, offset: int) -> str:
        """Location of a byte here."""
        return f"{self.where}@{self.base + offset}"

    def child(self, name: str, *, raw: bool = False) -> Scope:
        """The scope of a member of that name."""
        return Scope(self.tally, f"{self.where}!{shortened(name)}", self.depth + 1, raw)

    def issue(
        self,
        rule: str,
        offset: int,
        message: str,
        *,
        severity: Severity | None = None,
        proof: str = "",
    ) -> ArtifactIssue:
        """An issue at a byte here."""
        return ArtifactIssue(rule, self.at(offset), visible(message), severity, shortened(proof))

    @property
    def name(self) -> str:
        """Name of the file or of the member, in lower case."""
        if self.depth == 0:
            return os.path.basename(self.tally.path or "").lower()
        return self.where.rpartition("!")[2].lower()

    @property
    def names(self) -> NameLists:
        """What is known of names that a file makes its loader import."""
        return self.tally.names

    @property
    def file(self) -> Path | None:
        """The file on disk, None inside a container."""
        path = self.tally.path
        return Path(path) if self.depth == 0 and path is not None else None

    def record_skip(self, reason: str) -> None:
        """Note that something here was not looked at."""
        if len(self.tally.unread) == _MAX_UNREAD:
            self.tally.unread.append("and more that was not looked at")
        elif len(self.tally.unread) < _MAX_UNREAD:
            note = f"{self.where.removeprefix('!')}: {reason}".removeprefix(": ")
            self.tally.unread.append(visible(note))

    def first(self, issues: Iterable[ArtifactIssue], limit: int) -> Iterator[ArtifactIssue]:
        """Up to so many issues; that there are more is noted."""
        for number, issue in enumerate(issues):
            if number == limit:
                self.more_than(limit)
                return
            yield issue

    def more_than(self, limit: int) -> None:
        """Note that of many findings of one kind only the first are told."""
        self.record_skip(f"more than {limit} findings of one kind; the rest")

    def not_searched(self, offset: int, message: str) -> ArtifactIssue:
        """The issue of a part whose size its maker chose, and which is not searched."""
        return self.issue("content-not-searched", offset, message)

    def descend(self, source: ByteSource) -> Iterator[ArtifactIssue]:
        """Examine what lies inside a container, whatever format it has."""
        from buttress.probes.artifacts.recognise import examine

        self.tally.parts += 1
        if self.depth > MAX_DEPTH:
            message = f"Containers are nested more than {MAX_DEPTH} deep; the rest was not read."
            yield self.issue("archive-nesting", 0, message)
            return
        if self.tally.parts > MAX_PARTS:
            raise ExpansionError(f"it has more than {MAX_PARTS} parts")
        yield from examine(source, self)

    def bomb(self, error: ExpansionError) -> ArtifactIssue:
        """The issue for a file that costs too much."""
        return self.issue("archive-bomb", 0, f"The file was not examined to its end: {error}.")
