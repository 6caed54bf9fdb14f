"""Advisories made up for tests, in the OSV format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"


def advisory(
    identifier: str, name: str, events: list[dict[str, str]], **more: Any
) -> dict[str, Any]:
    ecosystem = more.pop("ecosystem", "PyPI")
    kind = more.pop("type", "ECOSYSTEM")
    affected: dict[str, Any] = {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": kind, "events": events}],
        "versions": more.pop("versions", []),
    }
    return {
        "schema_version": "1.6.0",
        "id": identifier,
        "modified": "2026-01-02T00:00:00Z",
        "affected": [affected],
        **more,
    }


LEAKY = advisory(
    "PYSEC-2026-1",
    "Leaky_Models",
    [{"introduced": "1.0"}, {"fixed": "1.2"}],
    aliases=["CVE-2026-1", "GHSA-aaaa-bbbb-cccc"],
    summary="Leaks prompts",
    severity=[{"type": "CVSS_V3", "score": HIGH}],
    versions=["1.0", "1.1"],
)


def write(folder: Path, *advisories: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for one in advisories:
        (folder / f"{one['id']}.json").write_text(json.dumps(one), encoding="utf-8")
    return folder
