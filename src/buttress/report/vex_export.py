"""Suppressions that applied, as OpenVEX 0.2.0 or, in files ``*.cdx.json``, as CycloneDX 1.6."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson

from buttress import __version__
from buttress.evidence.places import LocatedFinding
from buttress.files.atomic import write_whole
from buttress.files.paths import absolute
from buttress.triage.suppressions import Suppression
from buttress.triage.vex import FILE_URN, vulnerabilities

Suppressed = tuple[LocatedFinding, Suppression]
CYCLONEDX: Final = (".cdx.json", "bom.json")  # ends of names, by the CycloneDX specification


@dataclass(frozen=True, slots=True)
class Said:
    """A suppression of one vulnerability, by all its ids, in a package of a file or the file."""

    ids: tuple[str, ...]
    file: str  # as ``FILE_URN`` and the path
    package: str  # a package URL, or empty
    entry: Suppression


def write(suppressed: Sequence[Suppressed], path: Path) -> None:
    """Write a statement for each entry and the packages or files in which it applied.

    An accepted risk is written as ``affected``, its action being the reason.

    Raises:
        InputError: not writable.
    """
    from buttress.report import vex_export_cyclonedx

    folder = absolute(path.parent)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    said = list(dict.fromkeys(_said(one, entry, folder) for one, entry in suppressed))
    cyclonedx = path.name.lower().endswith(CYCLONEDX)
    made = vex_export_cyclonedx.document(said, now) if cyclonedx else _openvex(said, now)
    write_whole(path, orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n", "--write-vex")


def _said(one: LocatedFinding, entry: Suppression, folder: str) -> Said:
    ids = tuple(vulnerabilities(one.finding)) or (one.finding.rule,)
    package = next((ref for ref in one.finding.references if ref.startswith("pkg:")), "")
    return Said(ids, FILE_URN + quote(one.below(folder)), package, entry)


def _openvex(said: Sequence[Said], now: str) -> dict[str, Any]:
    statements = [_statement(one) for one in said]
    content = orjson.dumps(statements, option=orjson.OPT_SORT_KEYS) + now.encode()
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"urn:buttress:vex:{hashlib.sha256(content).hexdigest()}",
        "author": "buttress scan",
        "timestamp": now,
        "version": 1,
        "tooling": f"buttress {__version__}",
        "statements": statements,
    }


def _statement(one: Said) -> dict[str, Any]:
    name, *aliases = one.ids
    product: dict[str, Any] = {"@id": one.file}
    if one.package:
        product["subcomponents"] = [{"@id": one.package}]
    entry = one.entry
    statement: dict[str, Any] = {
        "vulnerability": {"name": name} | ({"aliases": aliases} if aliases else {}),
        "products": [product],
        "status": "affected" if entry.status == "accepted" else entry.status,
    }
    if entry.status == "accepted":
        statement["action_statement"] = f"Risk accepted: {entry.reason}"
    elif entry.status == "not_affected":
        statement["impact_statement"] = entry.reason
    else:
        statement["status_notes"] = entry.reason
    if entry.justification:
        statement["justification"] = entry.justification
    return statement
