"""The document of a scan, ``buttress-scan/1``; ``scan`` builds it.

Its classes are apart from the builder, so that a scan starts without msgspec.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, UnsetType

from buttress.documents.assessment import FindingRow
from buttress.documents.coverage import CoveredProbe
from buttress.documents.fields import Count, DocumentPart, UtcTime, about


class ScannedPath(DocumentPart, frozen=True, kw_only=True):
    """A path that was scanned."""

    id: Annotated[str, about("the path, with /")]
    location: Annotated[str, about("the path, with /")]


class ScannedPaths(DocumentPart, frozen=True, kw_only=True):
    """What was scanned."""

    name: Annotated[Literal["scan"], about("scan")]
    assets: Annotated[list[ScannedPath], about("paths on the command line")]


class ScanRun(DocumentPart, frozen=True, kw_only=True):
    """How it was made."""

    id: Annotated[str, about("run id")]
    started: Annotated[UtcTime, about("ISO 8601, UTC")]
    finished: Annotated[UtcTime, about("ISO 8601, UTC")]
    versions: Annotated[dict[str, str], about("package to version")]


class ScanFinding(FindingRow, frozen=True, kw_only=True):
    """A finding that counts."""

    fingerprint: Annotated[str, about("how a baseline knows it again, hex")] | UnsetType = UNSET


class SuppressedFinding(FindingRow, frozen=True, kw_only=True):
    """A finding that a suppression or a VEX statement keeps from counting."""

    status: Annotated[str | None, about("VEX status, such as not_affected")]
    justification: Annotated[str | None, about("VEX justification")]
    reason: Annotated[str | None, about("why, in words")]
    expires: Annotated[str | None, about("last day of the suppression, ISO 8601")]
    by: Annotated[str, about("file, and line where known, that says so")]


class ScanCoverage(DocumentPart, frozen=True, kw_only=True):
    """What was read."""

    covered: Annotated[list[CoveredProbe], about("probes that ran, by path")]


class ScanDocument(DocumentPart, frozen=True, kw_only=True):
    """Everything that one scan found."""

    schema: Annotated[Literal["buttress-scan/1"], about("buttress-scan/1")]
    system: Annotated[ScannedPaths, about("what was scanned")]
    run: Annotated[ScanRun, about("how it was made")]
    findings: Annotated[list[ScanFinding], about("findings that count, gravest first")]
    suppressed: Annotated[list[SuppressedFinding], about("findings that were suppressed")]
    baseline: Annotated[list[FindingRow], about("findings that the baseline knows")]
    outside: Annotated[Count, about("findings outside of what was asked for, as by --diff-lines")]
    notes: Annotated[list[str], about("what the reader should know, such as expired suppressions")]
    coverage: Annotated[ScanCoverage, about("what was read")]
