"""docs/inspection.md tells the rules as they are."""

from __future__ import annotations

import re
from pathlib import Path

from buttress.files.source_files import MAX_BYTES, MAX_FILES
from buttress.probes.source.secrets import MAX_FINDINGS
from buttress.rules.credentials.scanner import MAX_CANDIDATES, own

TEXT = (Path(__file__).resolve().parents[3] / "docs/inspection.md").read_text(encoding="utf-8")


def test_the_tables_of_rules() -> None:
    told = [line for line in TEXT.splitlines() if re.match(r"\| `[a-z0-9-]+` \|", line)]
    assert told == [
        f"| `{rule.id}` | {rule.title} | {rule.severity} | {rule.in_tests} |"
        for rule in own().rules
    ]


def test_limits() -> None:
    for limit in (MAX_FILES, MAX_CANDIDATES, MAX_FINDINGS):
        assert f"{limit:,}" in TEXT
    assert f"{MAX_BYTES >> 20} MiB" in TEXT
