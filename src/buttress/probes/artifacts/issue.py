"""What the examination of one file turns up, before it becomes evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.evidence.findings import Severity
from buttress.rules.rule_files import PLAIN_RULES, RuleKind


@dataclass(frozen=True, slots=True)
class ArtifactIssue:
    """One defect. ``location`` is the place within the file: ``member@offset`` or ``@offset``."""

    rule: str
    location: str
    message: str
    severity: Severity | None = None  # the rule's own where None
    proof: str = ""


RULES: Final = RuleKind("artifact-rules", PLAIN_RULES, Path(__file__).parent / "rules.yaml")
