"""Suppressions that applied, as vulnerabilities of a CycloneDX 1.6 document."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import orjson

from buttress import __version__
from buttress.report.vex_statement import SuppressedVulnerability
from buttress.triage import package_url
from buttress.triage.vex import FILE_URN

_STATES: Final[Mapping[str, str]] = {
    "not_affected": "not_affected", "fixed": "resolved", "under_investigation": "in_triage",
    "accepted": "exploitable",
}  # fmt: skip
# CycloneDX has no word for code that an adversary can't control; the detail says it then.
_JUSTIFICATIONS: Final[Mapping[str, str]] = {
    "component_not_present": "code_not_present",
    "vulnerable_code_not_present": "code_not_present",
    "vulnerable_code_not_in_execute_path": "code_not_reachable",
    "inline_mitigations_already_exist": "protected_by_mitigating_control",
}
_SPACE: Final = uuid.UUID("5d7f39c7-5a63-4f10-9b0a-7f2a36a2a7f2")


def document(said: Sequence[SuppressedVulnerability], now: str) -> dict[str, Any]:
    """The document; where a package is in a file, this is told as its occurrence."""
    places = list(dict.fromkeys((one.file, one.package) for one in said))
    names = {place: f"part-{number}" for number, place in enumerate(places, 1)}
    body: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {
                "components": [{"type": "application", "name": "buttress", "version": __version__}]
            }
        },
        "components": [_component(*place, names[place]) for place in places],
        "vulnerabilities": [_vulnerability(one, names[one.file, one.package]) for one in said],
    }
    body["serialNumber"] = f"urn:uuid:{uuid.uuid5(_SPACE, orjson.dumps(body).decode() + now)}"
    body["metadata"]["timestamp"] = now
    return body


def _component(file: str, package: str, reference: str) -> dict[str, Any]:
    found = package_url.parse(package) if package else None
    if found is None:
        name = unquote(file.removeprefix(FILE_URN))
        part: dict[str, Any] = {"type": "file", "bom-ref": reference, "name": name}
    else:
        part = {"type": "library", "bom-ref": reference, "name": found.name, "purl": package}
        if found.version:
            part["version"] = found.version
    return part | {"evidence": {"occurrences": [{"location": file}]}}


def _vulnerability(one: SuppressedVulnerability, reference: str) -> dict[str, Any]:
    name, *aliases = one.ids
    entry = one.entry
    analysis: dict[str, Any] = {"state": _STATES[entry.status], "detail": entry.reason}
    if (word := _JUSTIFICATIONS.get(entry.justification)) is not None:
        analysis["justification"] = word
    elif entry.justification:
        analysis["detail"] = f"{entry.reason} ({entry.justification})"
    if entry.status == "accepted":
        analysis["response"] = ["will_not_fix"]
    found: dict[str, Any] = {"bom-ref": f"{reference}:{name}", "id": name}
    if aliases:
        found["references"] = [
            {"id": alias, "source": {"name": alias.partition("-")[0]}} for alias in aliases
        ]
    return found | {"analysis": analysis, "affects": [{"ref": reference}]}
