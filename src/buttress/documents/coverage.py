"""What an assessment covered: items of standards, probes, and what is missing."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import (
    Count,
    DocumentPart,
    about,
)


class StandardItem(DocumentPart, frozen=True, kw_only=True):
    """An item."""

    id: Annotated[str, about("item id")]
    title: Annotated[str, about("title")]
    risks: Annotated[list[str], about("risks of the catalogue that map to it")]
    verdict: Annotated[
        Literal["acceptable", "unacceptable", "undecided", "partly assessed", "not assessed"],
        about(
            "worst verdict of these risks; partly assessed where what was measured is acceptable "
            "and some was not measured"
        ),
    ]


class StandardCoverage(DocumentPart, frozen=True, kw_only=True):
    """A standard."""

    standard: Annotated[str, about("standard id")]
    title: Annotated[str, about("title")]
    items: Annotated[list[StandardItem], about("its items")]


class CoveredProbe(DocumentPart, frozen=True, kw_only=True):
    """A probe on an asset."""

    probe: Annotated[str, about("probe id")]
    asset: Annotated[str, about("asset id")]
    trials: Annotated[Count | None, about("trials; null for an inspection")]
    files: Annotated[Count | None, about("files read; null for trials")]
    bytes: Annotated[Count | None, about("bytes read; null for trials")]
    skipped: Annotated[list[str], about("what was not read, and why; the first 20")]


class CoverageGap(DocumentPart, frozen=True, kw_only=True):
    """Something left out."""

    what: Annotated[str, about("`probe @ asset`, or an asset id")]
    why: Annotated[str, about("reason")]


class UnassessedRisk(DocumentPart, frozen=True, kw_only=True):
    """A risk."""

    id: Annotated[str, about("risk id")]
    title: Annotated[str, about("title")]


class AssessmentCoverage(DocumentPart, frozen=True, kw_only=True):
    """What was looked at, and what was not."""

    covered: Annotated[list[CoveredProbe], about("probes that ran, by asset")]
    not_covered: Annotated[list[CoverageGap], about("what was left out")]
    unassessed_risks: Annotated[
        list[UnassessedRisk], about("risks of the catalogue about which nothing was measured")
    ]
