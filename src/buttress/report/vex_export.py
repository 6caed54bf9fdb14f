"""Suppressions that applied, as OpenVEX 0.2.0 or, in files ``*.cdx.json``, as CycloneDX 1.6."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import orjson

from buttress.evidence.places import LocatedFinding
from buttress.files.atomic import write_whole
from buttress.files.paths import absolute
from buttress.report import vex_export_cyclonedx, vex_export_openvex
from buttress.report.vex_statement import SuppressedVulnerability
from buttress.triage.suppressions import Suppression
from buttress.triage.vex import FILE_URN, vulnerabilities

Suppressed = tuple[LocatedFinding, Suppression]
CYCLONEDX: Final = (".cdx.json", "bom.json")  # ends of names, by the CycloneDX specification


def write(suppressed: Sequence[Suppressed], path: Path) -> None:
    """Write a statement for each entry and the packages or files in which it applied.

    An accepted risk is written as ``affected``, its action being the reason.

    Raises:
        InputError: not writable.
    """
    folder = absolute(path.parent)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    said = list(dict.fromkeys(_said(one, entry, folder) for one, entry in suppressed))
    cyclonedx = path.name.lower().endswith(CYCLONEDX)
    made = (
        vex_export_cyclonedx.document(said, now)
        if cyclonedx
        else vex_export_openvex.document(said, now)
    )
    write_whole(path, orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n", "--write-vex")


def _said(one: LocatedFinding, entry: Suppression, folder: str) -> SuppressedVulnerability:
    ids = tuple(vulnerabilities(one.finding)) or (one.finding.rule,)
    package = next((ref for ref in one.finding.references if ref.startswith("pkg:")), "")
    return SuppressedVulnerability(ids, FILE_URN + quote(one.below(folder)), package, entry)
