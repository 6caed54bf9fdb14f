"""The probe ``client``: what users get on their devices, loose or in packages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.evidence.findings import Finding, Inspection
from buttress.files.byte_source import FileSource, ResourceMeter
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import TreeFile
from buttress.packs.knowledge import Knowledge
from buttress.probes.client import credentials, electron_fuses, precompressed, texts
from buttress.probes.client.checks import CHECKS, RULES
from buttress.probes.client.javascript_libraries import LibraryRules, load
from buttress.probes.client.package_files import PackageInspector, library_issue, sources
from buttress.probes.client.packages import ENDINGS
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.secret_rules import secret_rules
from buttress.rules.credentials.scanner import SecretRules
from buttress.rules.inspecting import FileRules, inspect_files
from buttress.rules.reporting import Issue, Reporter
from buttress.rules.subject import SubjectMatcher
from buttress.rules.subject_rule import SubjectRule

_PACKAGES: Final = (*ENDINGS, ".zip")
_APPID: Final = "wx"


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """``libraries`` are rules about JavaScript libraries; ``appid`` opens what is encrypted."""

    libraries: LibraryRules | None = None
    appid: str = ""
    id: str = "client"
    version: str = "1"
    title: str = "Applications, extensions, mini-programs and web bundles as users get them"
    kinds: tuple[str, ...] = ("client", "source")

    @property
    def options(self) -> Mapping[str, str]:
        """What can be set, by name."""
        return {
            "appid": "id of the mini-program (wx…), to open its encrypted package",
            "retire": "rule file of retire.js, such as jsrepository-v4.json",
        }

    def with_options(self, **values: str) -> ClientFiles:
        """The probe with these set.

        Raises:
            InputError: the id is none, or the rule file can't be read.
        """
        appid = values.get("appid", self.appid)
        if appid and not appid.startswith(_APPID):
            raise InputError(f"'{appid}' is no id", field="--set appid", expected="wx…")
        path = values.get("retire")
        return replace(self, appid=appid, libraries=load(Path(path)) if path else self.libraries)

    def rule_ids(self, knowledge: Knowledge) -> tuple[str, ...]:
        """Ids of its rules, those of packs too."""
        return tuple(knowledge.derive(_rules))

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in loose files and in packages; as ``InspectionProbe``.

        Raises:
            InputError: an installed pack does not load.
        """
        began = time.monotonic()
        knowledge, tree = context.knowledge, context.tree
        made = knowledge.when_needed(_made)

        def prepare() -> FileRules:
            rules, matcher, secrets = made()
            return FileRules(rules, partial(self._issues, matcher, mapped), secrets)

        mapped: list[SourceFile] = []  # sources in maps, and what was compressed
        loose: Inspection | None = None
        for one in inspect_files(
            (self.id, self.version),
            context.asset,
            tree,
            prepare=prepare,
            limit=limit,
            inside=precompressed.files,
            told=lambda path: texts.is_named(path.name),
        ):
            while mapped:
                own = self.id, self.version
                yield from credentials.in_text(mapped.pop(), made()[2], own, context.asset)
            if isinstance(one, Inspection):
                loose = one
            else:
                yield one
        reading = SourceReading()
        packages = [file for file in tree.files if file.path.lower().endswith(_PACKAGES)]
        fuses = list(electron_fuses.defects(tree, reading))
        if packages or fuses or reading.beyond:
            rules, matcher, secrets = made()
            reporter = Reporter(self.id, self.version, context.asset, rules, secrets)
            inspector = PackageInspector(
                reporter, matcher, secrets, reading, self.libraries, self.appid
            )
            for file in packages:
                yield from _package(inspector, context, file)
            for program, said in fuses:
                yield from inspector.facts(program, [f"electron-fuse: {said}"])
            yield from reporter.not_searched(reading)
        assert loose is not None
        notes = [*loose.skipped, *reading.skipped]
        if self.libraries is not None and self.libraries.set_aside:
            notes.append(f"{self.libraries.set_aside} expressions of the rules about libraries")
        yield replace(
            loose,
            files=loose.files + reading.files,
            bytes=loose.bytes + reading.bytes,
            skipped=tuple(notes),
            seconds=time.monotonic() - began,
            unread=(*loose.unread, *reading.unread),
        )

    def _issues(
        self,
        matcher: SubjectMatcher,
        mapped: list[SourceFile],
        path: Path,
        file: SourceFile,
        reading: SourceReading,
    ) -> Iterable[Issue]:
        found: list[Issue] = []
        compressed = bool(file.member)
        delivered = compressed or texts.is_delivered(file.location)
        if compressed:
            mapped.append(file)  # the probe of loose text does not see its credentials
        for subject in texts.subjects(file, reading, delivered=delivered):
            found += matcher.issues(subject)
        if delivered and path.name.lower().endswith(texts.SCRIPTS):
            mapped += sources(file, texts.inline_map(file.data), SourceReading())
        if self.libraries is not None and path.name.lower().endswith(texts.SCRIPTS):
            found += map(library_issue, self.libraries.find(file.location, file.data))
        return found


def _package(
    inspector: PackageInspector, context: InspectionContext, file: TreeFile
) -> Iterator[Finding]:
    meter = ResourceMeter()
    reading = inspector.reading
    try:
        with (
            FileSource(file.path, meter, context.tree) as source,
            reading.surviving(file.location),
        ):
            place = SourceFile(file.location, b"", file.uri)
            yield from inspector.inspect(source, meter, place)
    except OSError as error:
        reading.record_unread(file.location, error.strerror or "not readable")


def _rules(knowledge: Knowledge) -> Mapping[str, SubjectRule]:
    """All rules, those of packs too."""
    return RULES.with_packs(knowledge.of_kind(RULES.name))


def _matcher(knowledge: Knowledge) -> SubjectMatcher:
    return SubjectMatcher(knowledge.derive(_rules).values(), CHECKS)


def _made(
    knowledge: Knowledge,
) -> tuple[Mapping[str, SubjectRule], SubjectMatcher, SecretRules]:
    rules, matcher = knowledge.derive(_rules), knowledge.derive(_matcher)
    return rules, matcher, knowledge.derive(secret_rules)


def limit(path: Path) -> int:
    """Most bytes of a loose file of that path that are read, 0 for what is not wanted."""
    return texts.limit(path.name)


PROBE: Final = ClientFiles()
