"""The probe ``secrets``: credentials in source, configuration, notebooks and other text."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from buttress.evidence.findings import SEVERITIES, Finding, Inspection
from buttress.evidence.locations import Location
from buttress.files import notebooks
from buttress.files.source_files import SourceFile, SourceReading, text_files
from buttress.files.visible import printable
from buttress.packs.knowledge import Knowledge
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.secret_rules import secret_rules
from buttress.rules.allow import allowance
from buttress.rules.credentials.redacted import redacted
from buttress.rules.credentials.scanner import CredentialHit, SecretRules, scan
from buttress.rules.inspecting import inspection_of

MAX_FINDINGS: Final = 200  # in one file
_DOCUMENT: Final = re.compile(r"\.(?:md|mdx|markdown|rst|adoc)$")
_RECORDED: Final = re.compile(
    r"(?:^|/)(?:(?:vcr_)?(?:cassettes|fixtures|mocks|golden|goldens|__(?:fixtures|mocks|snapshots)__)|"
    r"(?:[\w-]*[_-])?data_?sets?|[\w-]*benchmarks?|corpora|corpus)/|\.snap$"
)
_OF_FINDERS: Final = re.compile(
    r"(?:secret|credential|redact|saniti[sz]|scrub|anonymi|mask|leak)[\w-]*(?:\.(?:test|spec))?"
    r"\.(?:py|pyi|[cm]?[jt]sx?|go|rs|java|kt|rb|cs|php)$"
)
_SUMMED: Final = {"crc62", "grafana", "bech32", "pypi"}  # checks of rules that know a checksum
_FOR_TRIALS: Final = re.compile(
    r"(?:^|[/._-])(?:demos?|benchmarks?|playgrounds?|dev|devel|development|localhost|local|snake-?oil|"
    r"self-?signed|dummy|fake)(?=[/._-])"
)


@dataclass(frozen=True, slots=True)
class _Secrets:
    id: str = "secrets"
    version: str = "1"
    title: str = "Credentials in source, configuration and data"
    kinds: tuple[str, ...] = (
        "source", "infrastructure", "service", "client", "link", "data", "model",
    )  # fmt: skip

    def rule_ids(self, knowledge: Knowledge) -> list[str]:
        """Ids of its rules, those of packs too."""
        return [rule.id for rule in knowledge.derive(secret_rules).rules]

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in all text files; as ``InspectionProbe``."""
        began = time.monotonic()
        reading, asset = SourceReading(), context.asset
        prepare = context.knowledge.when_needed(secret_rules)
        told: set[tuple[str, str]] = set()  # in the pieces of a large file, which overlap
        for file in text_files(context.tree, reading, pieces=True):
            if file.first_line == 1:
                told.clear()
            with reading.surviving(file.location):
                found = list(self._findings(asset, file, reading, prepare()))
                for finding in _gravest(found, file, reading):
                    if file.first_line == 1 or (finding.rule, finding.location) not in told:
                        told.add((finding.rule, finding.location))
                        yield finding
        yield inspection_of((self.id, self.version), asset, reading, began)

    def _findings(
        self, asset: str, file: SourceFile, reading: SourceReading, chosen: SecretRules
    ) -> Iterator[Finding]:
        for place, hit in _places(file, reading, chosen):
            allowed = allowance(place.data, hit.place, ("secret", hit.rule.id))
            if allowed is not None and allowed.valid:
                reason = "…" if place.secret(hit) in allowed.reason else printable(allowed.reason)
                reading.record_skip(
                    str(place.where(file)), f"{hit.rule.id} allowed by a comment: {reason}"
                )
                continue
            notes = [hit.note] if hit.note else []
            if allowed is not None:
                notes.append("its allow comment gives no reason")
            where = "" if place.cell is None else f" in cell {place.cell}"
            why = f" ({', '.join(notes)})" if notes else ""
            yield Finding(
                rule=hit.rule.id,
                severity=hit.severity,
                asset=asset,
                location=str(place.where(file)),
                place=place.where(file),
                message=f"{hit.rule.title}{where}{why}.",
                remedy=hit.rule.advice,
                references=hit.rule.references,
                proof=redacted(place.secret(hit)),
                probe=self.id,
                probe_version=self.version,
            )


def _gravest(found: list[Finding], file: SourceFile, reading: SourceReading) -> list[Finding]:
    """Of very many findings the gravest, in their order."""
    if len(found) <= MAX_FINDINGS:
        return found
    why = f"{len(found):,} findings, of which {MAX_FINDINGS} are told"
    reading.record_unread(file.location, why)
    ranks = sorted(range(len(found)), key=lambda one: -SEVERITIES.index(found[one].severity))
    return [found[one] for one in sorted(ranks[:MAX_FINDINGS])]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a hit is: the text that it is in, its line in the file, and its cell."""

    data: bytes
    line: int | None
    cell: int | None = None

    def secret(self, hit: CredentialHit) -> str:
        return self.data[hit.start : hit.end].decode("utf-8", "replace")

    def where(self, file: SourceFile) -> Location:
        return Location(file.location, line=self.line, uri=file.uri)


def _places(
    file: SourceFile, reading: SourceReading, chosen: SecretRules
) -> Iterator[tuple[_Place, CredentialHit]]:
    """All hits in a file with their places."""
    cells = notebooks.parts(file.data) if file.name.lower().endswith(".ipynb") else None
    if cells is None:
        line, counted = file.first_line, 0
        for hit in _scan(file.data, file, reading, chosen):
            line += file.data.count(b"\n", counted, hit.place)
            counted = hit.place
            yield _Place(file.data, line), hit
        return
    lines = notebooks.Lines(file.data)
    for part in cells:
        for hit in _scan(part.text, file, reading, chosen):
            yield _Place(part.text, lines.line(part.text[hit.place : hit.end]), part.cell), hit


def _scan(
    data: bytes, file: SourceFile, reading: SourceReading, chosen: SecretRules
) -> Sequence[CredentialHit]:
    hits = scan(data, file.name, in_tests=file.is_test, chosen=chosen)
    for rule in hits.cut:
        reading.record_unread(file.location, f"too many matches of rule {rule}; the rest of them")
    path = file.location.lower()
    if file.is_test and _OF_FINDERS.search(path):  # its keys are made to be found
        return [
            replace(hit, severity=min(hit.severity, "low", key=SEVERITIES.index))
            for hit in hits.found
        ]
    return [_lessened(hit, path) for hit in hits.found]


def _lessened(hit: CredentialHit, path: str) -> CredentialHit:
    """Medium at most, with the reason, where by the path it is hardly one of a running system.

    In documents and recorded answers most keys are altered; only a checksum says that one is not.
    Passwords and private keys, which count less in tests, do so among what is for development, too.
    """
    if hit.severity not in ("high", "critical"):
        return hit
    if hit.rule.check in _SUMMED and not _RECORDED.search(path):
        return hit
    if _DOCUMENT.search(path):
        why = "in a document"
    elif _RECORDED.search(path):
        why = "among recorded or made-up data"
    elif hit.rule.in_tests == "low" and _FOR_TRIALS.search(path):
        why = "by its path for demonstrations or development"
    else:
        return hit
    return replace(hit, severity="medium", note=f"{hit.note}, {why}" if hit.note else why)


PROBE: Final = _Secrets()
