"""Findings of the infrastructure layer, in the words of the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buttress.evidence.findings import Finding, Severity
from buttress.evidence.locations import Location
from buttress.files.shown_url import without_keys
from buttress.rules.rule_files import PLAIN_RULES, RuleKind

PROBE: Final = "infrastructure-live"
VERSION: Final = "1"


RULES: Final = RuleKind("live-rules", PLAIN_RULES, Path(__file__).parent / "data" / "rules.yaml")


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
    kind = RULES.own[rule]
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
