"""Findings of live probes, in the words of their rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from buttress.evidence.findings import Finding, Severity
from buttress.evidence.locations import Location
from buttress.files.shown_url import without_keys
from buttress.rules.rule import Rule
from buttress.rules.rule_files import PLAIN_RULES, RuleKind


@cache
def live_rules(path: Path) -> RuleKind[Rule]:
    """The rules in a file of a live probe."""
    return RuleKind("live-rules", PLAIN_RULES, path)


@dataclass(frozen=True, slots=True)
class LiveFindingMaker:
    """Makes the findings of a probe from the kinds in ``path``.

    Their messages may have ``{product}`` and ``{what}``.
    """

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
        kind = live_rules(self.path).own[rule]
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
