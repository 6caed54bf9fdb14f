"""The probe ``secrets-history``: credentials in any version of any file that git still keeps."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.locations import Location
from buttress.files import notebooks
from buttress.files.source_files import MAX_BYTES, SourceFile, SourceReading
from buttress.files.tree import FOREIGN
from buttress.files.utf8 import UTF16_MARKS
from buttress.files.visible import printable_name
from buttress.packs.knowledge import Knowledge
from buttress.probes.source.git.blobs import BlobOrigin, at_head, choose, origins, read
from buttress.probes.source.git.isolated import GitError, Isolated, isolated
from buttress.probes.source.git.layout import (
    LayoutError,
    References,
    RepositoryLayout,
    above,
    find,
    references,
)
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.secret_rules import secret_rules
from buttress.rules.allow import allowance
from buttress.rules.credentials.redacted import redacted
from buttress.rules.credentials.scanner import CredentialHit, SecretRules, scan
from buttress.rules.inspecting import inspection_of

MAX_TOTAL: Final = 4 << 30  # bytes of all versions together
MAX_FINDINGS: Final = 2_000
_HEAD: Final = 8192  # bytes that tell text from binary, as in the working tree
_REST: Final = (
    " A newer version of the file changes nothing: the key must be revoked; then the history can "
    "be rewritten."
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A repository; only paths that begin with ``below`` are asked for, told after ``prefix``."""

    layout: RepositoryLayout
    below: bytes = b""
    prefix: str = ""

    def record_skip(self, why: str, reading: SourceReading) -> None:
        reading.record_skip(self.prefix or ".", why)

    def record_unread(self, why: str, reading: SourceReading) -> None:
        """Note a part of the history that should have been searched and was not."""
        reading.record_unread(self.prefix or ".", why)

    def name(self, path: bytes) -> str:
        return self.prefix + _name(path.removeprefix(self.below))


@dataclass(frozen=True, slots=True)
class _Leak:
    """A secret at the oldest place where it stands; ``blobs`` are all versions that hold it."""

    hit: CredentialHit
    origin: BlobOrigin
    line: int | None
    shown: str
    blobs: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _History:
    id: str = "secrets-history"
    version: str = "1"
    title: str = "Credentials in the history of a git repository"
    kinds: tuple[str, ...] = ("source", "infrastructure", "service", "client", "data", "model")
    on_request: bool = True

    def rule_ids(self, knowledge: Knowledge) -> list[str]:
        """Ids of its rules, those of packs too."""
        return [rule.id for rule in knowledge.derive(secret_rules).rules]

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in the history of what the tree holds; as ``InspectionProbe``."""
        began = time.monotonic()
        reading, asset = SourceReading(), context.asset
        for place in _repositories(context.tree.root, reading):
            try:
                found = references(place.layout)
                with isolated(place.layout, found) as git:
                    yield from self._findings(context, git, found, place, reading)
            except (GitError, LayoutError, OSError) as error:
                place.record_skip(f"the history was not read: {error}", reading)
        yield inspection_of((self.id, self.version), asset, reading, began)

    def _findings(
        self,
        context: InspectionContext,
        git: Isolated,
        found: References,
        place: _Place,
        reading: SourceReading,
    ) -> Iterator[Finding]:
        asset, chosen = context.asset, context.knowledge.derive(secret_rules)
        if found.unread:
            place.record_unread(f"{found.unread:,} references beyond the limit", reading)
        if found.shallow:
            place.record_skip("a shallow clone: what is older was not fetched", reading)
        blobs = {
            blob: origin
            for blob, origin in origins(git, found, place.below).items()
            if not _foreign(origin.path, reading)
        }
        now = at_head(git, found)
        contents = choose(git, blobs, largest=MAX_BYTES, total=MAX_TOTAL)
        for number, why in (
            (contents.large, f"versions larger than {MAX_BYTES >> 20} MiB"),
            (contents.beyond, f"versions beyond {MAX_TOTAL >> 30} GiB in all"),
            (contents.missing, "versions that are not in the object database"),
        ):
            if number:
                place.record_unread(f"{number:,} {why}", reading)
        leaks: dict[tuple[str, bytes], _Leak] = {}
        for blob, data in read(git, contents.wanted):
            origin = blobs[blob]
            for hit, line, secret in _hits(data, origin, reading, chosen):
                key = hit.rule.id, hashlib.sha256(secret.encode()).digest()
                leak = leaks.get(key)
                if leak is None and len(leaks) >= MAX_FINDINGS:
                    reading.count("secrets beyond the limit of findings")
                    continue
                if leak is None or origin.age > leak.origin.age:
                    before = leak.blobs if leak else set()
                    leak = leaks[key] = _Leak(hit, origin, line, redacted(secret), before)
                leak.blobs.add(blob)
        for leak in sorted(leaks.values(), key=lambda one: (one.origin.path, one.line or 0)):
            yield self._finding(asset, leak, place, still=not now.isdisjoint(leak.blobs))

    def _finding(self, asset: str, leak: _Leak, place: _Place, *, still: bool) -> Finding:
        path = place.name(leak.origin.path)
        location = Location(path, line=leak.line)
        note = f" ({leak.hit.note})" if leak.hit.note else ""
        where = "and is still at HEAD" if still else "and is no longer at HEAD"
        return Finding(
            rule=leak.hit.rule.id,
            severity=leak.hit.severity,
            asset=asset,
            location=str(location),
            place=location,
            message=f"{leak.hit.rule.title}{note} came with commit {leak.origin.commit[:12]} of "
            f"{_day(leak.origin.seconds)}, {where}.",
            remedy=leak.hit.rule.advice + _REST,
            references=leak.hit.rule.references,
            proof=leak.shown,
            probe=self.id,
            probe_version=self.version,
        )


def _repositories(path: Path, reading: SourceReading) -> Iterator[_Place]:
    """The repository that ``path`` is or lies in; else those that lie in it."""
    whole = path.resolve()
    layout = find(whole) if whole.is_dir() else None
    if layout is not None:
        yield _Place(layout)
        return
    layout = above(whole)
    if layout is not None:
        inside = whole.relative_to(layout.top).as_posix()
        below = os.fsencode(f"{inside}/" if whole.is_dir() else inside)
        yield _Place(layout, below, "" if whole.is_dir() else printable_name(whole.name))
        return
    found = False
    for one in sorted(whole.iterdir()) if whole.is_dir() else ():
        if one.is_dir() and not one.is_symlink() and (layout := find(one)) is not None:
            found = True
            yield _Place(layout, prefix=f"{printable_name(one.name)}/")
    if not found:
        reading.record_skip(".", "no git repository, so no history")


def _hits(
    data: bytes, origin: BlobOrigin, reading: SourceReading, chosen: SecretRules
) -> Iterator[tuple[CredentialHit, int | None, str]]:
    """Secrets in one version of a file, each with its line."""
    encoding = UTF16_MARKS.get(data[:2])
    if encoding is not None:
        data = data[2:].decode(encoding, "replace").encode("utf-8", "replace")
    elif b"\0" in data[:_HEAD]:
        reading.count("versions of binary files")
        return
    reading.files += 1
    reading.bytes += len(data)
    file = SourceFile(_name(origin.path), data)
    cells = notebooks.parts(data) if file.name.lower().endswith(".ipynb") else None
    texts = [data] if cells is None else [part.text for part in cells]
    lines = None if cells is None else notebooks.Lines(data)
    for text in texts:
        hits = scan(text, file.name, in_tests=file.is_test, chosen=chosen)
        for rule in hits.cut:
            why = f"too many matches of rule {rule}; the rest of them"
            reading.record_unread(file.location, why)
        for hit in hits.found:
            allowed = allowance(text, hit.place, ("secret", hit.rule.id))
            if allowed is not None and allowed.valid:
                reading.count("secrets allowed by a comment")
                continue
            secret = text[hit.start : hit.end].decode("utf-8", "replace")
            if lines is None:
                yield hit, text.count(b"\n", 0, hit.place) + 1, secret
            else:
                yield hit, lines.line(text[hit.place : hit.end]), secret


def _foreign(path: bytes, reading: SourceReading) -> bool:
    """Whether a path lies in a folder of other people's code, as in the working tree."""
    folders = path.lower().split(b"/")[:-1]
    foreign = any(os.fsdecode(one) in FOREIGN for one in folders)
    if foreign:
        reading.count("versions of foreign code")
    return foreign


def _name(path: bytes) -> str:
    return "/".join(printable_name(os.fsdecode(one)) for one in path.split(b"/"))


def _day(seconds: int) -> str:
    """The author's day in UTC; any number can stand in a commit."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date().isoformat()
    except OverflowError:
        return "an impossible date"


PROBE: Final = _History()
