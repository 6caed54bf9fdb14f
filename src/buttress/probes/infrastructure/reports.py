"""Findings of the infrastructure layer, in the words of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from buttress.evidence.findings import Finding, Severity
from buttress.evidence.locations import Location
from buttress.files.shown_url import without_keys
from buttress.files.yaml_loader import load_yaml

PROBE: Final = "infrastructure-live"
VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class ReportRule:
    """A kind of finding; ``{product}`` and ``{what}`` are filled in."""

    id: str
    severity: Severity
    message: str
    remedy: str
    references: tuple[str, ...]


@cache
def rules() -> Mapping[str, ReportRule]:
    """The kinds of findings, by id."""
    data = load_yaml(Path(__file__).parent / "data" / "rules.yaml")["rules"]
    return {
        name: ReportRule(
            name, one["severity"], one["message"], one["remedy"], tuple(one["references"])
        )
        for name, one in data.items()
    }


def finding(
    rule: str,
    url: str,
    *,
    product: str,
    what: str,
    proof: str,
    severity: Severity | None = None,
    remedy: str = "",
    references: tuple[str, ...] = (),
) -> Finding:
    """A finding of a rule at a URL."""
    kind = rules()[rule]
    shown = without_keys(url)
    return Finding(
        rule=rule,
        severity=severity or kind.severity,
        asset="",
        location=shown,
        message=kind.message.format(product=product, what=what),
        remedy=remedy or kind.remedy,
        references=tuple(dict.fromkeys((*references, *kind.references))),
        proof=proof,
        probe=PROBE,
        probe_version=VERSION,
        place=Location(shown, uri=shown),
    )
