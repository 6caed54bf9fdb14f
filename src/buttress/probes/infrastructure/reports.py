"""Findings of the infrastructure layer, in the words of the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buttress.rules.report_rules import LiveFindingMaker

PROBE: Final = "infrastructure-live"
VERSION: Final = "3"
finding: Final = LiveFindingMaker(
    PROBE, VERSION, Path(__file__).parent / "data" / "rules.yaml"
).finding
