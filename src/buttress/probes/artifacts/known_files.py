"""The probe ``known-files``: files whose digest an installed pack knows to be bad."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.locations import Location
from buttress.files.sha256 import file_sha256
from buttress.packs.knowledge import Knowledge
from buttress.probes.artifacts.pack.fingerprints import Fingerprint, load
from buttress.protocols.inspection import InspectionContext

RULE: Final = "known-bad-file"
_REMEDY: Final = "Delete it, and find out where it came from and what has read it."


@dataclass(frozen=True, slots=True)
class _KnownFiles:
    id: str = "known-files"
    version: str = "1"
    title: str = "Known malicious files, by digests of packs"
    kinds: tuple[str, ...] = (
        "model", "data", "source", "infrastructure", "service", "client",
    )  # fmt: skip

    def rule_ids(self, _knowledge: Knowledge) -> tuple[str, ...]:
        """Ids of its rules."""
        return (RULE,)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in all files; only those of a size that is known are read.

        Raises:
            InputError: an installed pack does not load.
        """
        began = time.monotonic()
        asset, tree = context.asset, context.tree
        known = context.knowledge.derive(_known)
        by_size: dict[int, dict[str, Fingerprint]] = {}
        for each in known:
            by_size.setdefault(each.bytes, {})[each.sha256] = each
        count, read = 0, 0
        skipped: list[str] = []
        for one in tree.files if known else ():
            file, name = Path(one.path), one.location
            try:
                wanted = by_size.get(file.stat().st_size)
                count += 1
                if wanted is None:
                    continue
                digest = file_sha256(file, follow=file == tree.root)
                read += file.stat().st_size
            except OSError as error:
                skipped.append(f"{name}: {error.strerror or error}")
                continue
            if (hit := wanted.get(digest)) is not None:
                yield self._finding(asset, Location(name, uri=one.uri), hit)
        skipped += tree.notes() if known else ()
        if not known:
            skipped.append("no installed pack holds fingerprints")
        yield Inspection(
            probe=self.id,
            probe_version=self.version,
            asset=asset,
            files=count,
            bytes=read,
            skipped=tuple(skipped),
            seconds=time.monotonic() - began,
        )

    def _finding(self, asset: str, where: Location, hit: Fingerprint) -> Finding:
        return Finding(
            rule=RULE,
            severity=hit.severity,
            asset=asset,
            location=str(where),
            place=where,
            message=f"This file is known to be bad: {hit.title.rstrip('.')}.",
            remedy=_REMEDY,
            references=hit.references,
            proof=f"SHA-256 {hit.sha256}",
            probe=self.id,
            probe_version=self.version,
        )


def _known(knowledge: Knowledge) -> list[Fingerprint]:
    return [one for file in knowledge.of_kind("fingerprints") for one in load(file.path)]


PROBE: Final = _KnownFiles()
