"""Suppressions that applied, as an OpenVEX 0.2.0 document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from buttress import __version__
from buttress.report.vex_statement import SuppressedVulnerability


def document(said: Sequence[SuppressedVulnerability], now: str) -> dict[str, Any]:
    """The document; ``now`` is the time as ISO 8601."""
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


def _statement(one: SuppressedVulnerability) -> dict[str, Any]:
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
