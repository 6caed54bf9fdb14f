"""Findings of rules in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from buttress.evidence.findings import SEVERITIES, Finding, Severity
from buttress.evidence.locations import Location
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.visible import shortened, visible
from buttress.rules.allow import allowance
from buttress.rules.credentials.scanner import SecretRules, scan
from buttress.rules.rule import Rule

MAX_FINDINGS: Final = 200  # in one file
WHOLE_FILE: Final = -1  # in place of a line
_PROOF: Final = 160
_SENTENCE: Final = 600


@dataclass(frozen=True, slots=True)
class Issue:
    """A defect in one file. ``line`` counts from 1, or is ``WHOLE_FILE``; None stands for the
    rule's own."""

    rule: str
    line: int
    it: str = ""
    proof: str | None = None  # the line itself where None
    severity: Severity | None = None
    note: str = ""  # stands in brackets at the end of the message
    remedy: str | None = None
    references: tuple[str, ...] = ()  # before the rule's own


def less_grave(issue: Issue, rule: Rule, why: str) -> Issue:
    """The issue at medium, with the reason, if it is graver."""
    if SEVERITIES.index(issue.severity or rule.severity) <= SEVERITIES.index("medium"):
        return issue
    return replace(issue, severity="medium", note=why)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Turns the issues of a probe into findings."""

    probe: str
    version: str
    asset: str
    rules: Mapping[str, Rule]
    secrets: SecretRules | None = None  # what proofs must not show; our own rules where None

    def findings(
        self, file: SourceFile, issues: Iterable[Issue], reading: SourceReading
    ) -> Iterator[Finding]:
        """Findings for a file, without repetitions, in the order of lines.

        What a comment ``buttress: allow RULE reason`` allows is left out and noted.
        """
        starts = _starts(file.data)
        for issue in self._gravest(file, issues, reading):
            if issue.line == WHOLE_FILE:
                yield self._finding(file, issue, WHOLE_FILE, starts)
                continue
            line = min(max(issue.line, 1), len(starts))
            allowed = allowance(file.data, starts[line - 1], (issue.rule, self.probe))
            if allowed is not None and allowed.valid:
                reason = shortened(allowed.reason)
                reading.record_skip(file.location, f"{issue.rule} allowed by a comment: {reason}")
                continue
            yield self._finding(file, issue, line, starts)

    def _gravest(
        self, file: SourceFile, issues: Iterable[Issue], reading: SourceReading
    ) -> list[Issue]:
        """Issues without repetitions by line; of very many the gravest."""
        apart = {(one.line, one.rule, one.it): one for one in issues}
        if len(apart) > MAX_FINDINGS:
            reading.not_searched(
                file.location, f"{len(apart):,} findings, of which {MAX_FINDINGS} are told"
            )
        kept = sorted(apart.items(), key=lambda one: (-self._rank(one[1]), one[0]))[:MAX_FINDINGS]
        return [one for _, one in sorted(kept, key=lambda one: one[0])]

    def _rank(self, issue: Issue) -> int:
        return SEVERITIES.index(issue.severity or self.rules[issue.rule].severity)

    def not_searched(self, reading: SourceReading) -> Iterator[Finding]:
        """A finding for each limit that was met, where the probe has a rule about limits."""
        rule = self.rules.get(f"{self.probe}-not-searched")
        if rule is None:
            return
        for location, why in reading.beyond:
            yield Finding(
                rule=rule.id,
                severity=rule.severity,
                asset=self.asset,
                location=f"{location}:1",
                place=Location(location, line=1),
                message=rule.message.replace("{it}", why),
                remedy=rule.remedy,
                references=rule.references,
                proof="",
                probe=self.probe,
                probe_version=self.version,
            )

    def _finding(self, file: SourceFile, issue: Issue, line: int, starts: list[int]) -> Finding:
        rule = self.rules[issue.rule]
        whole_file = line == WHOLE_FILE
        where = Location(
            file.location, file.member, line=None if whole_file else line, uri=file.uri
        )
        if issue.proof is not None or whole_file:
            proof = issue.proof or ""
        else:
            end = starts[line] if line < len(starts) else len(file.data)
            proof = (
                ""
                if rule.secret
                else without_secrets(file.data[starts[line - 1] : end], self.secrets)
            )
        whole = rule.message == "{it}"  # it is a sentence, not a quotation
        it = visible(issue.it[:_SENTENCE]) if whole else shortened(issue.it)
        message = rule.message.replace("{it}", it)
        if issue.note:
            message = f"{message.rstrip('.')} ({issue.note})."
        return Finding(
            rule=rule.id,
            severity=issue.severity or rule.severity,
            asset=self.asset,
            location=str(where),
            place=where,
            message=message,
            remedy=issue.remedy or rule.remedy,
            references=tuple(dict.fromkeys((*issue.references, *rule.references))),
            proof=shortened(proof.strip()),
            probe=self.probe,
            probe_version=self.version,
        )


def without_secrets(line: bytes, secrets: SecretRules | None = None) -> str:
    """The beginning of a line with each credential blotted out that ``secrets``, or ours, find."""
    cut = line[: 4 * _PROOF]
    parts, done = [], 0
    for hit in sorted(scan(cut, "line.txt", chosen=secrets).found, key=lambda one: one.start):
        if hit.start >= done:
            parts += [cut[done : hit.start], "…".encode()]
            done = hit.end
    parts.append(cut[done:])
    return b"".join(parts).decode("utf-8", "replace")[:_PROOF]


def _starts(data: bytes) -> list[int]:
    """Offsets at which lines begin."""
    starts, place = [0], data.find(b"\n")
    while place >= 0 and place + 1 < len(data):
        starts.append(place + 1)
        place = data.find(b"\n", place + 1)
    return starts
