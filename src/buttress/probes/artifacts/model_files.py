"""The probe of model files: what a pickle would run, and where a file lies about itself.

Nothing is loaded. Files are recognised by content, read in pieces, and only as far as needed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.evidence.records import Finding, Inspection
from buttress.probes.artifacts.folder import files
from buttress.probes.artifacts.issue import Issue, rules
from buttress.probes.artifacts.recognise import examine
from buttress.probes.artifacts.scope import Scope, Tally
from buttress.probes.artifacts.source import FileSource

_MAX_ISSUES: Final = 200  # for one file
_MAX_SKIPPED: Final = 100


class ModelFiles:
    """An ``InspectionProbe``."""

    id = "model-files"
    version = "1"
    title = "Code and lies in model files"
    kinds = ("model", "data", "source")

    def inspect(self, asset: str, path: Path) -> Iterator[Finding | Inspection]:
        """Findings in the file or in all files of the folder, then what was read."""
        started = time.perf_counter()
        count, read = 0, 0
        unrecognised: Counter[str] = Counter()
        skipped: list[str] = []
        for one in files(path, skipped):
            relative = one.relative_to(path).as_posix() if one != path else path.name
            tally = Tally()
            try:
                with FileSource(one, tally.meter, follow=one == path) as source:
                    for issue in _first(examine(source, Scope(tally)), _MAX_ISSUES):
                        yield self._finding(issue, asset, relative)
            except OSError as error:
                skipped.append(f"{relative}: {error.strerror or error}")
                continue
            count += 1
            read += tally.meter.read
            skipped += (f"{relative}: {reason}" for reason in tally.unread)
            if not tally.recognised:
                unrecognised[one.suffix.lower() or "(no suffix)"] += 1
        if unrecognised:
            kinds = ", ".join(f"{kind} {n}" for kind, n in unrecognised.most_common(8))
            total = sum(unrecognised.values())
            skipped.append(f"{total} files of no format that is known here ({kinds})")
        if len(skipped) > _MAX_SKIPPED:
            skipped[_MAX_SKIPPED:] = [f"and {len(skipped) - _MAX_SKIPPED} more"]
        seconds = time.perf_counter() - started
        yield Inspection(self.id, self.version, asset, count, read, tuple(skipped), seconds)

    def _finding(self, issue: Issue, asset: str, relative: str) -> Finding:
        rule = rules()[issue.rule]
        return Finding(
            rule=issue.rule,
            severity=issue.severity or rule.severity,
            asset=asset,
            location=relative + issue.location,
            message=issue.message,
            remedy=rule.remedy,
            references=rule.references,
            proof=issue.proof,
            probe=self.id,
            probe_version=self.version,
        )


def _first(issues: Iterator[Issue], count: int) -> Iterator[Issue]:
    for number, issue in enumerate(issues):
        if number >= count:
            return
        yield issue


PROBE = ModelFiles()
