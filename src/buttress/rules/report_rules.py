"""Kinds of findings of live probes: severity, words and references, in a YAML file a probe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from buttress.evidence.findings import Finding, Severity
from buttress.evidence.locations import Location
from buttress.files.shown_url import without_keys
from buttress.files.yaml_loader import load_yaml


@dataclass(frozen=True, slots=True)
class ReportRule:
    """A kind of finding; ``{product}`` and ``{what}`` are filled in."""

    id: str
    severity: Severity
    message: str
    remedy: str
    references: tuple[str, ...]


@cache
def report_rules(path: Path) -> Mapping[str, ReportRule]:
    """The kinds of findings in a file, by id."""
    return {
        name: ReportRule(
            name, one["severity"], one["message"], one["remedy"], tuple(one["references"])
        )
        for name, one in load_yaml(path)["rules"].items()
    }


@dataclass(frozen=True, slots=True)
class LiveFindingMaker:
    """Makes the findings of a probe from the kinds in ``path``."""

    probe: str
    version: str
    path: Path

    def finding(
        self,
        rule: str,
        url: str,
        *,
        what: str,
        proof: str,
        product: str = "",
        severity: Severity | None = None,
        remedy: str = "",
        references: tuple[str, ...] = (),
    ) -> Finding:
        """A finding of a rule at a URL.

        Raises:
            KeyError: no such rule.
        """
        kind = report_rules(self.path)[rule]
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
            probe=self.probe,
            probe_version=self.version,
            place=Location(shown, uri=shown),
        )
