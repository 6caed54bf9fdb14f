"""Known vulnerabilities of a product: proven, possible, or not of its version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.evidence.findings import SEVERITIES, Finding, Severity
from buttress.probes.infrastructure.aig.corrected import Sorted
from buttress.probes.infrastructure.aig.rules import AdvisoryRule
from buttress.probes.infrastructure.reports import finding
from buttress.protocols.live import Flaw

_SUMMARY: Final = 200
_REFERENCES: Final = 20
_WORDS: Final[dict[str, Severity]] = {
    "critical": "critical", "high": "high", "medium": "medium", "moderate": "medium", "low": "low",
    "info": "info",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One vulnerability, whatever told of it."""

    names: tuple[str, ...]
    summary: str
    severity: Severity
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ProductSubject:
    """The product that vulnerabilities are told of: its name, version and where both were seen."""

    name: str
    version: str
    url: str
    proof: str
    ask: str = ""


def findings(
    subject: ProductSubject, advisories: Sorted, flaws: Iterable[Flaw]
) -> tuple[list[Finding], int]:
    """A finding for each proven vulnerability, one for all possible ones, and how many are not."""
    flaws = list(flaws)
    affected = _merged(
        [_of_advisory(one) for one in advisories.affected]
        + [_of_flaw(one) for one in flaws if one.affected]
    )
    possible = _merged(
        [_of_advisory(one) for one in advisories.possibly]
        + [_of_flaw(one) for one in flaws if one.affected is None]
    )
    proven = {name for one in affected for name in one.names}
    possible = [one for one in possible if not proven.intersection(one.names)]
    clear = advisories.not_affected + sum(one.affected is False for one in flaws)
    found = [_proven(subject, one) for one in affected]
    if possible:
        found.append(_possible(subject, possible))
    return found, clear


def as_written(subject: ProductSubject, advisories: Iterable[AdvisoryRule]) -> list[Finding]:
    """A finding for each advisory that AI-Infra-Guard reports, whatever proves it."""
    return [_proven(subject, _of_advisory(one)) for one in advisories]


def _proven(subject: ProductSubject, one: Vulnerability) -> Finding:
    told = f": {one.summary}" if one.summary else ""
    return finding(
        "vulnerable-version",
        subject.url,
        product=f"{subject.name} {subject.version}".strip(),
        what=f"has a known vulnerability{told.rstrip('.')} ({', '.join(one.names[:3])})",
        proof=subject.proof,
        severity=one.severity,
        remedy=one.remedy or f"Upgrade {subject.name}.",
        references=one.names,
    )


def _possible(subject: ProductSubject, some: Sequence[Vulnerability]) -> Finding:
    number = len(some)
    why = (
        "its version is not known"
        if not subject.version
        else f"version {subject.version} does not decide it"
    )
    gravest = max((one.severity for one in some), key=SEVERITIES.index)
    are = "vulnerabilities are" if number != 1 else "vulnerability is"
    return finding(
        "possibly-vulnerable-version",
        subject.url,
        product=subject.name,
        what=f"{number} known {are} possible, at most {gravest}, since {why}",
        proof=subject.proof,
        remedy=f"Find out its version: {subject.ask or 'ask its operator for the release'}. "
        "Then compare it with the advisories.",
        references=tuple(one.names[0] for one in some if one.names)[:_REFERENCES],
    )


def _merged(some: Iterable[Vulnerability]) -> list[Vulnerability]:
    """Those of one name once: the first summary and remedy, and the gravest severity."""
    found: list[Vulnerability] = []
    for one in some:
        same = next((each for each in found if set(each.names) & set(one.names)), None)
        if same is None:
            found.append(one)
            continue
        found[found.index(same)] = Vulnerability(
            tuple(dict.fromkeys((*same.names, *one.names))),
            same.summary or one.summary,
            max(same.severity, one.severity, key=SEVERITIES.index),
            same.remedy or one.remedy,
        )
    return sorted(found, key=lambda one: -SEVERITIES.index(one.severity))


def _of_advisory(one: AdvisoryRule) -> Vulnerability:
    names = (one.cve.strip() or one.file.rpartition("/")[2].removesuffix(".yaml"),)
    return Vulnerability(
        names,
        _cut(one.summary),
        _WORDS.get(one.severity.strip().lower(), "medium"),
        _cut(one.advice),
    )


def _of_flaw(one: Flaw) -> Vulnerability:
    names = sorted((one.id, *one.aliases), key=lambda name: not name.startswith("CVE-"))
    remedy = f"Upgrade to {one.fixed} or later." if one.fixed else ""
    return Vulnerability(tuple(names), _cut(one.summary), one.severity, remedy)


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SUMMARY else plain[: _SUMMARY - 1] + "…"
