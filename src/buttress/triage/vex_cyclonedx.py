"""The VEX part of CycloneDX 1.4 to 1.6: vulnerabilities with an analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from buttress.errors import InputError
from buttress.triage.vex import FILE_URN, Statement, VexSubject, subjects
from buttress.triage.vex_fields import mapping, mappings, required, rows, time

STATES: Final = {
    "not_affected": "not_affected", "false_positive": "not_affected", "resolved": "fixed",
    "resolved_with_pedigree": "fixed", "exploitable": "affected",
    "in_triage": "under_investigation",
}  # fmt: skip


def is_one(data: Mapping[str, Any]) -> bool:
    """Whether a document is of this format."""
    return data.get("bomFormat") == "CycloneDX"


def statements(data: Mapping[str, Any], path: Path) -> Iterator[Statement]:
    """What a document says, in its order.

    Raises:
        InputError: naming the field that is wrong.
    """
    known = {str(one.get("bom-ref")): one for one in _components(data)}
    whole = time(mapping(data.get("metadata")), path, "metadata.timestamp", None)
    for index, row in enumerate(required(data, "vulnerabilities", path)):
        analysis = mapping(mapping(row).get("analysis"))
        if "state" not in analysis:
            continue  # an advisory without a statement
        field = f"vulnerabilities[{index}]"
        state = str(analysis["state"])
        if state not in STATES:
            raise InputError(
                f"'{state[:40]}' is no state", file=str(path), field=f"{field}.analysis.state",
                expected="one of " + ", ".join(STATES),
            )  # fmt: skip
        aliases = [one.get("id") for one in mappings(row.get("references"))]
        yield Statement(
            frozenset(str(one) for one in (row.get("id"), *aliases) if one),
            tuple(one for place in mappings(row.get("affects")) for one in _subjects(place, known)),
            STATES[state], str(analysis.get("justification") or ""),
            str(analysis.get("detail") or ""),
            time(analysis, path, f"{field}.analysis.lastUpdated", whole), str(path),
        )  # fmt: skip


def _subjects(
    affected: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]
) -> Iterator[VexSubject]:
    """The component that is referred to, here or by a BOM-Link; of single versions if so said."""
    reference = str(affected.get("ref", ""))
    if reference.startswith("urn:cdx:"):
        reference = unquote(reference.rpartition("#")[2])
    component = known.get(reference, {})
    evidence = mapping(component.get("evidence"))
    places = [str(one.get("location")) for one in mappings(evidence.get("occurrences"))]
    file = next((one for one in places if one.startswith(FILE_URN)), "")
    versions = rows(affected.get("versions"))
    own = str(component.get("purl") or "") or file or reference
    for one in subjects([own], file):
        if not versions:
            yield one
        for version in mappings(versions):
            if one.package is not None and isinstance(version.get("version"), str):
                yield replace(one, package=replace(one.package, version=version["version"]))


def _components(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    queue = [*rows(data.get("components")), mapping(data.get("metadata")).get("component")]
    while queue:
        one = queue.pop()
        if isinstance(one, dict):
            yield one
            queue += rows(one.get("components"))
