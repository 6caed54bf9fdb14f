"""What the examination of one file turns up, before it becomes evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from buttress.evidence.findings import Severity


def load_yaml(path: Path) -> dict[str, Any]:
    """Data of this package from a YAML file."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    return data


@dataclass(frozen=True, slots=True)
class Rule:
    """What every finding of one rule has in common."""

    severity: Severity
    remedy: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """One defect. ``location`` is the place within the file: ``member@offset`` or ``@offset``."""

    rule: str
    location: str
    message: str
    severity: Severity | None = None  # the rule's own where None
    proof: str = ""


@cache
def rules() -> dict[str, Rule]:
    """All rules of model files by id, from ``rules.yaml``."""
    data = load_yaml(Path(__file__).parent / "rules.yaml")
    return {
        name: Rule(one["severity"], one["remedy"], tuple(one["references"]))
        for name, one in data["rules"].items()
    }
