"""What the examination of one file turns up, before it becomes evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from buttress.evidence.findings import Severity
from buttress.files.yaml_loader import load_yaml


class ArtifactRule(NamedTuple):
    """What every finding of one rule has in common."""

    severity: Severity
    remedy: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArtifactIssue:
    """One defect. ``location`` is the place within the file: ``member@offset`` or ``@offset``."""

    rule: str
    location: str
    message: str
    severity: Severity | None = None  # the rule's own where None
    proof: str = ""


@cache
def rules() -> dict[str, ArtifactRule]:
    """All rules of model files by id, from ``rules.yaml``."""
    data = load_yaml(Path(__file__).parent / "rules.yaml")
    return {
        name: ArtifactRule(one["severity"], one["remedy"], tuple(one["references"]))
        for name, one in data["rules"].items()
    }
