"""The probe of model files: what a pickle would run, and where a file lies about itself.

Nothing is loaded. Files are recognised by content, read in pieces, and only as far as needed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from buttress.evidence.findings import Finding, Inspection
from buttress.packs.knowledge import Knowledge
from buttress.probes.artifacts.issue import RULES
from buttress.probes.artifacts.parallel import reports
from buttress.probes.artifacts.pickles.judge import OWN_LISTS, NameLists
from buttress.probes.artifacts.reporting import finding_of
from buttress.protocols.inspection import InspectionContext

if TYPE_CHECKING:
    from buttress.probes.artifacts.pack.known_good import KnownGood

_MAX_SKIPPED: Final = 100


class ModelFiles:
    """An ``InspectionProbe``."""

    id = "model-files"
    version = "2"
    title = "Malicious code and misleading content in model files"
    kinds = ("model", "data", "source")

    def rule_ids(self, _knowledge: Knowledge) -> tuple[str, ...]:
        """Ids of its rules."""
        return tuple(RULES.own)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in all files of the tree, then what was read.

        Raises:
            InputError: an installed pack does not load.
        """
        started = time.perf_counter()
        asset, tree = context.asset, context.tree
        names = context.knowledge.derive(_names)
        known = context.knowledge.derive(_known_good)
        count, read = 0, 0
        unrecognised: Counter[str] = Counter()
        unread: list[str] = []
        found = reports((file.path for file in tree.files), tree=tree, names=names)
        for file, (one, report) in zip(tree.files, found, strict=True):
            relative = file.location
            if report.issues or report.unread or report.error is not None:
                good = known.find(Path(one)) if known and report.issues else None
                for issue in report.issues:
                    finding = finding_of(self, issue, asset, file)
                    yield finding if good is None else good.accept(finding)
            if report.error is not None:
                unread.append(f"{relative}: {report.error}")
                continue
            count += bool(report.recognised)
            read += report.read
            unread += (f"{relative}: {reason}" for reason in report.unread)
            if not report.recognised:
                unrecognised[Path(one).suffix.lower() or "(no suffix)"] += 1
        skipped = [*unread, *tree.notes()]
        if unrecognised:
            kinds = ", ".join(f"{kind} {n}" for kind, n in unrecognised.most_common(8))
            total = sum(unrecognised.values())
            many = "file" if total == 1 else "files"
            skipped.append(f"{total} {many} of no format that is known here ({kinds})")
        if len(skipped) > _MAX_SKIPPED:
            skipped[_MAX_SKIPPED:] = [f"and {len(skipped) - _MAX_SKIPPED} more"]
        seconds = time.perf_counter() - started
        yield Inspection(
            self.id, self.version, asset, count, read, tuple(skipped), seconds, unread=tuple(unread)
        )


def _known_good(knowledge: Knowledge) -> KnownGood | None:
    """Digests of good files; None, and nothing imported, where no pack is installed."""
    if not knowledge.files:
        return None
    from buttress.probes.artifacts.pack.known_good import known_good

    return known_good(knowledge)


def _names(knowledge: Knowledge) -> NameLists:
    if not knowledge.files:
        return OWN_LISTS
    from buttress.probes.artifacts.pack.pickle_names import of_packs

    return NameLists(of_packs(knowledge))


PROBE = ModelFiles()
