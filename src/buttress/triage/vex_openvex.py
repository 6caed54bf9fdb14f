"""OpenVEX 0.2.0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from buttress.errors import InputError
from buttress.triage.vex import FILE_URN, STATUSES, Statement, VexSubject, subjects
from buttress.triage.vex_fields import mapping, required, rows, time, unjustified


def is_one(data: Mapping[str, Any]) -> bool:
    """Whether a document is of this format."""
    return str(data.get("@context", "")).startswith("https://openvex.dev/ns")


def statements(data: Mapping[str, Any], path: Path) -> Iterator[Statement]:
    """What a document says, in its order.

    Raises:
        InputError: naming the field that is wrong.
    """
    whole = time(data, path, "timestamp", None)
    for index, row in enumerate(required(data, "statements", path)):
        field = f"statements[{index}]"
        if not isinstance(row, dict):
            raise InputError("not a mapping", file=str(path), field=field)
        named = row.get("vulnerability")
        ids = _ids(named) if isinstance(named, dict) else frozenset({str(named)} if named else ())
        status = row.get("status")
        if not ids or status not in STATUSES:
            raise InputError(
                "no vulnerability" if not ids else f"'{str(status)[:40]}' is no status",
                file=str(path),
                field=f"{field}.{'status' if ids else 'vulnerability'}",
                expected="one of " + ", ".join(STATUSES) if ids else "its name",
            )
        justification = str(row.get("justification") or "")
        impact = str(row.get("impact_statement") or "")
        if status == "not_affected" and not (justification or impact):
            raise unjustified(path, field, "a justification or an impact_statement")
        yield Statement(
            ids,
            tuple(one for product in rows(row.get("products")) for one in _subjects(product)),
            str(status), justification, impact or str(row.get("status_notes") or ""),
            time(row, path, f"{field}.timestamp", whole), str(path),
        )  # fmt: skip


def _subjects(product: Any) -> tuple[VexSubject, ...]:
    """The parts of a product that a statement is about, or the product itself.

    A part of one of our files is meant in that file only.
    """
    own = _identifiers(product)
    parts = rows(mapping(product).get("subcomponents"))
    if not parts:
        return subjects(own)
    file = next((one for one in own if one.startswith(FILE_URN)), "")
    return subjects([name for part in parts for name in _identifiers(part)], file)


def _identifiers(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    purl = mapping(mapping(part).get("identifiers")).get("purl")
    return [one for one in (mapping(part).get("@id"), purl) if isinstance(one, str)]


def _ids(named: Mapping[str, Any]) -> frozenset[str]:
    every = [named.get("name"), *rows(named.get("aliases"))]
    return frozenset(one for one in every if isinstance(one, str) and one)
