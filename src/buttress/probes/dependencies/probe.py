"""The probe ``dependencies``: what is installed along with the system, and how surely."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from buttress.evidence.findings import Finding, Inspection
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import Tree
from buttress.files.wanted import wanted_files
from buttress.packs.knowledge import Knowledge
from buttress.probes.dependencies import pinning, workspaces
from buttress.protocols.inspection import InspectionContext
from buttress.provenance.dependencies.dependency import REST, FormatError, Parsed, Parser
from buttress.provenance.dependencies.formats import (
    MAX_BYTES,
    parser,
    requirements,
    script_parser,
)
from buttress.provenance.dependencies.formats.tools import is_script
from buttress.rules.inspecting import inspection_of
from buttress.rules.reporting import Issue, Reporter
from buttress.rules.rule_files import RuleKind
from buttress.rules.subject_rule import EXAMPLE_RULES

if TYPE_CHECKING:
    from buttress.probes.dependencies.osv.database import Database

RULES: Final = RuleKind("dependency-rules", EXAMPLE_RULES, Path(__file__).parent / "rules")
_MAX_INCLUDES: Final = 200
_NOT_KNOWN: Final = "whether versions were withdrawn from the index: not known offline"


@dataclass(frozen=True, slots=True)
class _Dependencies:
    """``osv`` is where advisories lie: a folder of JSON files or an ecosystem's ``all.zip``."""

    osv: Path | None = None
    id: str = "dependencies"
    version: str = "1"
    title: str = "Dependencies: vulnerabilities, typosquatting, unpinned versions"
    kinds: tuple[str, ...] = ("source", "infrastructure", "service", "client", "model")

    @property
    def options(self) -> Mapping[str, str]:
        """What can be set, by name."""
        return {"osv": "advisories in the OSV format: a folder of JSON files, or an all.zip"}

    def with_options(self, **values: str) -> _Dependencies:
        """The probe with these set."""
        return replace(self, osv=Path(values["osv"]))

    def rule_ids(self, _knowledge: Knowledge) -> tuple[str, ...]:
        """Ids of its rules."""
        return tuple(RULES.own)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in all files of dependencies; as ``InspectionProbe``.

        Raises:
            InputError: the database of advisories can't be read.
        """
        began = time.monotonic()
        asset, tree = context.asset, context.tree
        path = tree.root
        reading = SourceReading()
        advisories = _opened(self.osv) if self.osv is not None else None
        reporter = Reporter(self.id, self.version, asset, RULES.own)
        members = workspaces.members(tree)
        queue: deque[Path] = deque()
        read: set[Path] = set()
        for place, file in wanted_files(tree, reading, partial(_limit, tree)):
            read.add(place.resolve())
            parse = parser(place.parent.name, place.name)
            if parse is None and "." not in place.name:
                parse = script_parser()
            with reading.surviving(file.location):
                parsed = _parsed(parse, file, reading) if parse else None
                if parsed is not None:
                    if members and place.name == "package.json":
                        parsed.dependencies = [
                            one for one in parsed.dependencies if one.name not in members
                        ]
                    yield from reporter.findings(file, _issues(file, parsed, advisories), reading)
                    queue += _included(place, path, parsed, reading)
        followed = 0
        while queue and followed < _MAX_INCLUDES:
            place = queue.popleft()
            if place in read:
                continue
            read.add(place)
            followed += 1
            for _, given in wanted_files(Tree(place), reading, lambda _: MAX_BYTES):
                file = replace(given, location=place.relative_to(path.resolve()).as_posix())
                with reading.surviving(file.location):
                    parsed = _parsed(requirements.parse, file, reading)
                    if parsed is not None:
                        found = _issues(file, parsed, advisories)
                        yield from reporter.findings(file, found, reading)
                        queue += _included(place, path, parsed, reading)
        if left := sorted(set(queue) - read):
            why = f"{_MAX_INCLUDES} files that others include were read; the rest"
            reading.not_searched(left[0].relative_to(path.resolve()).as_posix(), why)
        yield from reporter.not_searched(reading)
        self._note(reading, advisories)
        yield inspection_of((self.id, self.version), asset, reading, began)

    def _note(self, reading: SourceReading, advisories: Database | None) -> None:
        if not reading.files:
            return
        reading.record_skip("offline", _NOT_KNOWN)
        if advisories is None:
            reading.record_skip("known vulnerabilities", "no database of advisories was given")
        elif advisories.unreadable:
            reading.record_skip(
                "advisories", f"{advisories.unreadable} files of the database can't be read"
            )


def _opened(osv: Path) -> Database:
    from buttress.probes.dependencies.osv.database import database

    return database(osv)


def _included(place: Path, root: Path, parsed: Parsed, reading: SourceReading) -> list[Path]:
    """Files that a requirements file includes, if they lie inside the asset."""
    found = []
    for name in parsed.includes:
        target = _target(place, name)
        if target is None or not root.is_dir() or not target.is_relative_to(root.resolve()):
            reading.record_skip(place.name, "a file that it includes lies outside the asset")
        elif target.is_file():
            found.append(target)
        else:
            reading.record_skip(place.name, "a file that it includes does not exist")
    return found


def _target(place: Path, name: str) -> Path | None:
    if "://" in name or "$" in name or "\0" in name or len(name) > 1_000:
        return None
    try:
        return (place.parent / name).resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _limit(tree: Tree, path: Path) -> int:
    known = parser(path.parent.name, path.name)
    if known is script_parser() or (known is None and "." not in path.name):
        return MAX_BYTES if _is_script(tree, path) else 0
    return MAX_BYTES if known else 0


def _is_script(tree: Tree, path: Path) -> bool:
    """Whether it is Python, by its name or first line, with a block of metadata (PEP 723)."""
    content = tree.content(path)
    named = path.suffix == ".py" or content.data.startswith(b"#!")
    return named and not content.binary and is_script(content.data)


def _parsed(parse: Parser, file: SourceFile, reading: SourceReading) -> Parsed | None:
    try:
        parsed = parse(file.data.decode("utf-8", "replace").removeprefix("\ufeff"))
    except FormatError as error:
        reading.record_skip(file.location, str(error))
        return None
    for note in dict.fromkeys(parsed.notes):
        tell = reading.not_searched if note == REST else reading.record_skip
        tell(file.location, note)
    return parsed


def _issues(file: SourceFile, parsed: Parsed, advisories: Database | None) -> list[Issue]:
    name = file.name.lower()
    exact_wanted = name.endswith(".txt") and "constraint" not in name
    issues = [*parsed.issues, *pinning.issues(parsed.dependencies, exact_wanted=exact_wanted)]
    if advisories is not None:
        from buttress.probes.dependencies import vulnerabilities

        look = partial(vulnerabilities.issues, database=advisories)
        for one in parsed.dependencies:
            issues += look(one)
    return issues


PROBE: Final = _Dependencies()
