"""What a scan found as data, in those fields of an assessment's document that a scan can fill."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from buttress import __version__

if TYPE_CHECKING:
    from buttress.evidence.findings import Inspection
    from buttress.evidence.places import LocatedFinding
    from buttress.triage.filtering import FilteredFindings

_SHARED: Final = ("rule", "severity", "asset", "location", "message", "remedy", "proof", "probe")


def document(
    identifier: str,
    began: float,
    roots: Sequence[Path],
    filtered: FilteredFindings,
    inspections: Sequence[Inspection],
) -> dict[str, Any]:
    """The document; ``findings`` are those that count, and what does not stands apart."""
    return {
        "schema": "buttress-scan/1",
        "system": {
            "name": "scan",
            "assets": [{"id": path.as_posix(), "location": path.as_posix()} for path in roots],
        },
        "run": run_of(identifier, began),
        **filtered_rows(filtered),
        "coverage": {"covered": covered(inspections)},
    }


def run_of(identifier: str, began: float) -> dict[str, Any]:
    """How a document was made."""
    return {
        "id": identifier,
        "started": _iso(began),
        "finished": _iso(time.time()),
        "versions": {"buttress": __version__},
    }


def covered(inspections: Sequence[Inspection]) -> list[dict[str, Any]]:
    """What each probe looked at."""
    return [
        {
            "probe": one.probe,
            "asset": one.asset,
            "trials": None,
            "files": one.files,
            "bytes": one.bytes,
            "skipped": list(one.skipped),
        }
        for one in inspections
    ]


def filtered_rows(filtered: FilteredFindings) -> dict[str, Any]:
    """The findings that count, those that do not and why, and the notes of the filter."""
    suppressed = [
        _row(one)
        | {"status": entry.status, "justification": entry.justification, "reason": entry.reason,
           "expires": entry.expires.isoformat() if entry.expires else None, "by": entry.where}
        for one, entry in filtered.suppressed
    ] + [
        _row(one)
        | {"status": said.status, "justification": said.justification, "reason": said.reason,
           "expires": None, "by": said.file}
        for one, said in filtered.cleared
    ]  # fmt: skip
    return {
        "findings": [
            _row(one) | {"fingerprint": mark}
            for one, mark in zip(filtered.counting, _marks(filtered.counting), strict=True)
        ],
        "suppressed": suppressed,
        "baseline": [_row(one) for one in filtered.known],
        "outside": filtered.outside,
        "notes": list(filtered.notes),
    }


def _marks(found: Sequence[LocatedFinding]) -> list[str]:
    if not found:
        return []
    from buttress.files.paths import absolute
    from buttress.triage.baseline import fingerprints

    return fingerprints(found, absolute("."))


def _row(one: LocatedFinding) -> dict[str, Any]:
    finding = one.finding
    row: dict[str, Any] = {name: getattr(finding, name) for name in _SHARED}
    row["place"] = finding.where.plain()
    return row | {"references": list(finding.references), "risk": None}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
