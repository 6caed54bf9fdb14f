"""The document of a comparison, ``buttress-diff/1``; ``workflows.diff`` builds it."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.assessment import FindingRow
from buttress.documents.fields import Count, DocumentPart, Share, VerdictName, about
from buttress.documents.risk import RateInterval

ChangeKind = Literal[
    "regression",
    "lost coverage",
    "worse verdict, not shown",
    "improvement",
    "better verdict, not shown",
    "newly assessed",
    "no change shown",
]


class ComparedSide(DocumentPart, frozen=True, kw_only=True):
    """One of the two assessments."""

    system: Annotated[str, about("name of the system")]
    run: Annotated[str, about("run id")]
    finished: Annotated[str, about("ISO 8601, UTC")]
    policy: Annotated[str, about("policy id")]
    head: Annotated[str, about("hash of the last record of its evidence, hex")]


class PairedItems(DocumentPart, frozen=True, kw_only=True):
    """What items show that were asked in both assessments."""

    pairs: Annotated[Count, about("items asked in both")]
    worse: Annotated[Count, about("items with a higher outcome later")]
    better: Annotated[Count, about("items with a lower outcome later")]
    difference: Annotated[float, about("mean outcome later less that before")]
    low: Annotated[float, about("lower bound of the difference")]
    high: Annotated[float, about("upper bound of the difference")]
    log_rise: Annotated[float, about("log e-value against: not higher later")]
    log_fall: Annotated[float, about("log e-value against: not lower later")]
    prompts: Annotated[Count, about("observations that the bounds rest on: one for each prompt")]


class ComparedRisk(DocumentPart, frozen=True, kw_only=True):
    """A risk on an asset in one assessment."""

    verdict: Annotated[VerdictName, about("verdict on the asset")]
    rate: Annotated[RateInterval, about("as in the assessment")]
    trials: Annotated[Count, about("trials on the asset")]


class RiskChange(DocumentPart, frozen=True, kw_only=True):
    """A risk on an asset, before and after."""

    risk: Annotated[str, about("risk id")]
    asset: Annotated[str, about("asset id")]
    title: Annotated[str, about("in a few words")]
    change: Annotated[ChangeKind, about("what the comparison shows")]
    why: Annotated[str, about("what that rests on")]
    p_value: Annotated[
        Share | None, about("of the change, adjusted; null where no counts could be compared")
    ]
    paired: Annotated[PairedItems | None, about("null where no items were paired")]
    before: Annotated[ComparedRisk | None, about("null where it was not assessed")]
    after: Annotated[ComparedRisk | None, about("null where it was not assessed")]


class NewFindingRow(FindingRow, frozen=True, kw_only=True):
    """A finding that the earlier assessment lacks."""

    tolerated: Annotated[bool, about("whether the policy tolerates it")]
    first_look: Annotated[bool, about("whether nobody had looked there before")]
    regression: Annotated[bool, about("whether it makes the comparison fail")]


class FindingChanges(DocumentPart, frozen=True, kw_only=True):
    """Findings of one side only."""

    new: Annotated[list[NewFindingRow], about("of the later one")]
    gone: Annotated[list[FindingRow], about("of the earlier one")]


class CoverageChanges(DocumentPart, frozen=True, kw_only=True):
    """What only one side examined, as `probe @ asset`."""

    lost: Annotated[list[str], about("the earlier one")]
    gained: Annotated[list[str], about("the later one")]


class ComparisonDocument(DocumentPart, frozen=True, kw_only=True):
    """Two assessments, compared."""

    schema: Annotated[Literal["buttress-diff/1"], about("buttress-diff/1")]
    before: Annotated[ComparedSide, about("the earlier assessment")]
    after: Annotated[ComparedSide, about("the later assessment")]
    alpha: Annotated[Share, about("probability at most of a false alarm by the tests on rates")]
    conclusion: Annotated[str, about("in a line")]
    regressions: Annotated[Count, about("risks that got worse, and new findings not tolerated")]
    warnings: Annotated[list[str], about("what makes the two not comparable")]
    risks: Annotated[list[RiskChange], about("each risk on each asset")]
    findings: Annotated[FindingChanges, about("findings of one side only")]
    coverage: Annotated[CoverageChanges, about("what only one side examined")]
