"""Fingerprints and advisories of AI-Infra-Guard as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from buttress.probes.infrastructure.aig.expression import Expression, comparisons
from buttress.protocols.live import LiveRequest


@dataclass(frozen=True, slots=True)
class Matcher:
    """An expression and how it was written."""

    text: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class HttpRule:
    """The product answers if any matcher holds for the answer; without matchers any answer will."""

    request: LiveRequest
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class VersionRule:
    """Gives the version by a regular expression, or a range where its matchers hold."""

    request: LiveRequest
    matchers: tuple[Matcher, ...] = ()
    part: str = ""
    group: str = ""
    regex: str = ""
    versions: str = ""


@dataclass(frozen=True, slots=True)
class FingerprintRule:
    """A product: alternatives by which it is known, and how to tell its version."""

    name: str
    kind: str
    http: tuple[HttpRule, ...]
    version: tuple[VersionRule, ...]
    file: str

    @property
    def uses_icon(self) -> bool:
        """Whether a matcher asks for the icon's number."""
        return any(
            one.keyword == "icon"
            for rule in self.http
            for matcher in rule.matchers
            for one in comparisons(matcher.expression)
        )


@dataclass(frozen=True, slots=True)
class AdvisoryRule:
    """An advisory; ``rule`` is None where the file states no versions."""

    name: str
    cve: str
    summary: str
    severity: str
    cvss: str
    advice: str
    rule: Expression | None
    rule_text: str
    references: tuple[str, ...]
    file: str
    extra: dict[str, Any] = field(default_factory=dict, compare=False)
