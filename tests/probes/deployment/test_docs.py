"""docs/inspection-infrastructure.md tells the rules as they are."""

from __future__ import annotations

import re
from pathlib import Path

from buttress.probes.deployment.probe import RULES

TEXT = (Path(__file__).resolve().parents[3] / "docs/inspection-infrastructure.md").read_text(
    encoding="utf-8"
)


def test_the_table_of_rules() -> None:
    told = [line for line in TEXT.splitlines() if re.match(r"\| `[a-z0-9-]+` \|", line)]
    assert told == [f"| `{one.id}` | {one.title} | {one.severity} |" for one in RULES.own.values()]
