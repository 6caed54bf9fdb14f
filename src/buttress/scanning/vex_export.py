"""Suppressions that applied, as an OpenVEX 0.2.0 document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from buttress import __version__
from buttress.scanning.files import write_whole
from buttress.scanning.places import Placed, absolute
from buttress.scanning.suppressions import Suppression
from buttress.scanning.vex import FILE_URN

Suppressed = tuple[Placed, Suppression]


def write(suppressed: Sequence[Suppressed], path: Path) -> None:
    """Write a statement for each entry and the files in which it applied.

    What OpenVEX calls ``affected`` stands for an accepted risk, its action being the reason.

    Raises:
        InputError: not writable.
    """
    folder = absolute(path.parent)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    statements = [_statement(one, suppression, folder) for one, suppression in suppressed]
    unique = {orjson.dumps(one, option=orjson.OPT_SORT_KEYS): one for one in statements}
    digest = hashlib.sha256(b"".join(sorted(unique)) + now.encode()).hexdigest()
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"urn:buttress:vex:{digest}",
        "author": "buttress scan",
        "timestamp": now,
        "version": 1,
        "tooling": f"buttress {__version__}",
        "statements": list(unique.values()),
    }
    write_whole(path, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n", "--write-vex")


def _statement(one: Placed, suppression: Suppression, folder: str) -> dict[str, Any]:
    finding = one.finding
    ids = [ref for ref in finding.references if ref.startswith(("CVE-", "GHSA-", "PYSEC-"))]
    name, *aliases = ids or [finding.rule]
    statement: dict[str, Any] = {
        "vulnerability": {"name": name} | ({"aliases": aliases} if aliases else {}),
        "products": [{"@id": FILE_URN + quote(one.below(folder))}],
        "status": "affected" if suppression.status == "accepted" else suppression.status,
    }
    if suppression.status == "accepted":
        statement["action_statement"] = f"Risk accepted: {suppression.reason}"
    elif suppression.status == "not_affected":
        statement["impact_statement"] = suppression.reason
    else:
        statement["status_notes"] = suppression.reason
    if suppression.justification:
        statement["justification"] = suppression.justification
    return statement
