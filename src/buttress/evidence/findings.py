"""What inspections put into the evidence: apart, so that a scan need not import other records.

``extra`` is as in ``records``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from buttress.evidence.locations import Location

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect seen by an inspection probe."""

    rule: str
    severity: Severity
    asset: str
    location: str  # ``place`` in words: path, path:line or path@offset, relative to the asset
    message: str  # one sentence
    remedy: str
    references: tuple[str, ...] = ()  # CWE-…, CVE-…, LLM03, AML.T0010 …
    proof: str = ""  # short and redacted: never a whole secret
    probe: str = ""
    probe_version: str = ""
    time: float = 0.0
    run: str = ""
    place: Location | None = None  # None in records of old stores
    extra: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def where(self) -> Location:
        """``place``, and for a record that has none what ``location`` says."""
        return self.place or Location.of_old_text(self.location)


@dataclass(frozen=True, slots=True)
class Inspection:
    """An inspection probe looked at an asset; without it, no finding would prove nothing."""

    probe: str
    probe_version: str
    asset: str
    files: int
    bytes: int
    skipped: tuple[str, ...] = ()  # what was not looked at, and why
    seconds: float = 0.0
    time: float = 0.0
    run: str = ""
    unread: tuple[str, ...] = ()  # of ``skipped``, what should have been searched and was not
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
