"""From what an examination turns up to evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buttress.evidence.findings import Finding
from buttress.evidence.locations import Location
from buttress.files.tree import TreeFile
from buttress.probes.artifacts.issue import RULES, ArtifactIssue

if TYPE_CHECKING:
    from buttress.protocols.probe import InspectionProbe


def finding_of(probe: InspectionProbe, issue: ArtifactIssue, asset: str, file: TreeFile) -> Finding:
    """An issue in a file as a finding of a probe."""
    rule = RULES.own[issue.rule]
    member, mark, offset = issue.location.rpartition("@")
    if not mark or not offset.isdecimal():
        member, offset = issue.location, ""
    where = Location(file.location, member, offset=int(offset) if offset else None, uri=file.uri)
    return Finding(
        rule=issue.rule,
        severity=issue.severity or rule.severity,
        asset=asset,
        location=str(where),
        place=where,
        message=issue.message,
        remedy=rule.remedy,
        references=rule.references,
        proof=issue.proof,
        probe=probe.id,
        probe_version=probe.version,
    )
