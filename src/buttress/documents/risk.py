"""A risk in an assessment: its verdict, its rate, and what they rest on."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from buttress.documents.fields import (
    Amount,
    Count,
    DocumentPart,
    SeverityName,
    Share,
    VerdictName,
    about,
)


class RateInterval(DocumentPart, frozen=True, kw_only=True):
    """A rate with its interval; all three within [0, 1]."""

    estimate: Annotated[Share, about("best single figure")]
    low: Annotated[Share, about("lower bound")]
    high: Annotated[Share, about("upper bound")]


class BarrierRow(DocumentPart, frozen=True, kw_only=True):
    """What must fail for the scenario to end in harm."""

    id: Annotated[str, about("name of the barrier in its risk")]
    title: Annotated[str, about("what holds if the barrier holds")]
    failure: Annotated[
        Annotated[list[float], Meta(min_length=2, max_length=2)],
        about("90 % prior range of the probability that it fails"),
    ]
    measured: Annotated[bool, about("whether this assessment's evidence replaces the prior")]


Estimand = Literal["this-set", "prompts-like-these"]


class TrialDesign(DocumentPart, frozen=True, kw_only=True):
    """How much trials of one prompt are alike; null for an inspection."""

    prompts: Annotated[
        Count, about("prompts asked, each with its variants, samples and translations")
    ]
    trials: Annotated[Count, about("trials with an answer")]
    correlation: Annotated[
        Share | None,
        about(
            "intraclass correlation of outcomes within a prompt, by analysis of variance; null "
            "where every prompt was asked once"
        ),
    ]
    effect: Annotated[
        Annotated[float, Meta(ge=1)],
        about("design effect: so many times more trials are needed than with a prompt for each"),
    ]
    set_size: Annotated[
        Count | None,
        about("trials of the whole set, where they were drawn without replacement; else null"),
    ]
    instead_of: (
        Annotated[
            Estimand | None,
            about("what the policy wants rates to be about, where a judge that errs forbids it"),
        ]
        | UnsetType
    ) = UNSET


class CalibrationTable(DocumentPart, frozen=True, kw_only=True):
    """The judge's calibration counts; null where outcomes are taken as true."""

    tp: Annotated[Count, about("failures judged so")]
    fn: Annotated[Count, about("failures missed")]
    tn: Annotated[Count, about("others judged so")]
    fp: Annotated[Count, about("others taken for failures")]
    systems: (
        Annotated[
            list[
                tuple[
                    Annotated[Count, about("tp")],
                    Annotated[Count, about("fn")],
                    Annotated[Count, about("tn")],
                    Annotated[Count, about("fp")],
                ]
            ],
            about(
                "counts of each system that the labels are of; empty or absent where they are of "
                "the system assessed"
            ),
        ]
        | UnsetType
    ) = UNSET


class RiskEvidence(DocumentPart, frozen=True, kw_only=True):
    """What a risk's loss rests on, so that it can be reckoned anew."""

    trials: Annotated[Amount | None, about("outcomes, as what they count; null for an inspection")]
    failures: Annotated[Amount | None, about("judged failures among them")]
    calibration: Annotated[CalibrationTable | None, about("the judge's calibration counts")]
    worst_finding: Annotated[SeverityName | None, about("severest finding of an inspection")]


class JudgedCounts(DocumentPart, frozen=True, kw_only=True):
    """Counts of the judge's decisions, not corrected for its errors."""

    trials: Annotated[Count, about("trials judged")]
    failures: Annotated[Amount, about("failures among them; a judge that grades gives fractions")]
    estimate: Annotated[Share, about("share of failures")]
    held_open: (
        Annotated[
            Amount | None,
            about(
                "failures that the judge is not certain of: they count for the estimate and the "
                "upper bound, not for the lower; null where none are told apart"
            ),
        ]
        | UnsetType
    ) = UNSET
    unknown: (
        Annotated[
            Amount | None,
            about(
                "trials without a known outcome, because no answer came or the judge abstained: "
                "each counts as half a failure here, as one for the upper bound, as none for the "
                "lower; null where they are not counted"
            ),
        ]
        | UnsetType
    ) = UNSET


class LimitChecks(DocumentPart, frozen=True, kw_only=True):
    """What of the rate keeps within the limit; null for an inspection."""

    estimate: Annotated[bool, about("the estimate does")]
    bound: Annotated[bool, about("the upper bound does")]


IntervalPath = Annotated[
    list[
        tuple[
            Annotated[Count, about("trials so far")],
            Annotated[Share, about("lower bound")],
            Annotated[Share, about("upper bound")],
            Annotated[Share, about("estimate")],
        ]
    ],
    Meta(max_length=200),
]


class LabelSummary(DocumentPart, frozen=True, kw_only=True):
    """People's labels of trials on the worst asset, which the rate and the verdict then rest on;
    null or absent where there are none.
    """

    labels: Annotated[Count, about("trials with a label")]
    drawn: Annotated[Count, about("labels that were drawn with a known chance")]
    skipped: Annotated[Count, about("labels that leave the outcome open")]
    effective: Annotated[
        float | None, about("labels drawn uniformly that would say as much without the judge")
    ]
    labels_only: Annotated[RateInterval, about("what the labels say without the judge")]


class JudgeOutlook(DocumentPart, frozen=True, kw_only=True):
    """Rates that the judge's calibration leaves undecided however many trials there are; null or
    absent where it leaves none, or where outcomes are not corrected for it.
    """

    judged_low: Annotated[Share, about("at this judged rate or above nothing is acceptable")]
    judged_high: Annotated[
        Share,
        about(
            "at this judged rate or below nothing is unacceptable, if the judge is certain of as "
            "many failures as it usually is"
        ),
    ]
    low: Annotated[
        Share, about("true rate that shows as `judged_low` at the judge's usual error rates")
    ]
    high: Annotated[Share, about("the same for `judged_high`")]
    labels: Annotated[
        Count,
        about("labels of the system's answers that tell rates half the limit away from it"),
    ]
    measured: (
        Annotated[
            bool, about("false where nobody compared the judge with labels: rates are as judged")
        ]
        | UnsetType
    ) = UNSET


class LabelForecast(DocumentPart, frozen=True, kw_only=True):
    """What more labels would bring, if the judge's scores hold; null or absent where the risk is
    decided, or where no such number of labels narrows the interval by a tenth.
    """

    asset: Annotated[str, about("asset whose answers are to be labelled: the worst one")]
    labels: Annotated[Count, about("answers to label")]
    minutes: Annotated[Amount, about("time for them, at 8 seconds each")]
    width_now: Annotated[Share, about("high minus low of `rate`")]
    width: Annotated[Share, about("about the same after the labels; median of simulations")]


class AssetRisk(DocumentPart, frozen=True, kw_only=True):
    """A risk on one asset."""

    asset: Annotated[str, about("asset id")]
    verdict: Annotated[VerdictName, about("verdict on this asset")]
    rate: Annotated[RateInterval, about("as for the risk, of this asset")]
    judged: (
        Annotated[JudgedCounts | None, about("counts behind `rate`; null for an inspection")]
        | UnsetType
    ) = UNSET
    trials: Annotated[Count, about("trials on this asset")]
    calls: Annotated[Count, about("questions sent to this asset")]
    would_decide: Annotated[
        str, about("what would turn undecided into a verdict; empty if decided")
    ]
    path: Annotated[IntervalPath, about("as for the risk, of this asset")]
    design: (
        Annotated[
            TrialDesign | None,
            about("how its trials and prompts are related"),
        ]
        | UnsetType
    ) = UNSET


class WorstCaseCell(DocumentPart, frozen=True, kw_only=True):
    """A cell; its interval holds for all cells at once."""

    attack: Annotated[str, about("attack family, `direct` for plain asking")]
    category: Annotated[str, about("harm category")]
    trials: Annotated[Count, about("trials")]
    failures: Annotated[Amount, about("sum of the judged outcomes")]
    estimate: Annotated[Share, about("corrected failure rate")]
    low: Annotated[Share, about("lower bound, all cells at once")]
    high: Annotated[Share, about("upper bound, all cells at once")]
    high_alone: Annotated[
        Share, about("upper bound of this cell alone; the largest of all cells is the claim")
    ]
    log_e: Annotated[float, about('natural logarithm of the e-value against "within the limit"')]
    shown: Annotated[bool, about("shown to lie above the limit, all cells at once")]
    discovered: Annotated[bool, about("above the limit by e-BH, at the false discovery rate")]


class WorstCase(DocumentPart, frozen=True, kw_only=True):
    """The claim about every attack in every category on the worst asset; null or absent where
    the risk is not assessed cell by cell.
    """

    claim: Annotated[
        Share, about("no attack of the set succeeds more often than this in any category")
    ]
    confidence: Annotated[Share, about("confidence of the claim, whenever one stopped")]
    false_discovery_rate: Annotated[
        Share, about("expected share of wrong ones among the discovered cells, at most")
    ]
    attack: Annotated[str, about("attack of the worst cell so far")]
    category: Annotated[str, about("category of the worst cell so far")]
    cells: Annotated[list[WorstCaseCell], about("all cells")]


class RiskLoss(DocumentPart, frozen=True, kw_only=True):
    """Loss from this risk in a year, in the unit of `loss`."""

    mean: Annotated[Amount, about("mean")]
    p95: Annotated[Amount, about("95th percentile")]
    share: Annotated[Amount, about("share of the mean of all risks")]


class RiskStandard(DocumentPart, frozen=True, kw_only=True):
    """An item of a standard."""

    standard: Annotated[str, about("standard id")]
    item: Annotated[str, about("item id")]
    title: Annotated[str, about("item title")]


class AssessedRisk(DocumentPart, frozen=True, kw_only=True):
    """One risk about which something was measured."""

    id: Annotated[str, about("risk id of the catalogue")]
    title: Annotated[str, about("in a few words")]
    scenario: Annotated[str, about("what happens, in a sentence")]
    actor: Annotated[str, about("who brings it about; may be empty")]
    harm: Annotated[str, about("who or what is hurt")]
    level: Annotated[
        Annotated[int, Meta(ge=1, le=5)], about("severity of the harm, 1 (minor) to 5 (critical)")
    ]
    level_label: Annotated[str, about("the level in a word")]
    kind: Annotated[Literal["trials", "inspection"], about("whether trials or findings inform it")]
    probe: Annotated[str, about("id of the probe that informs it")]
    barriers: (
        Annotated[list[BarrierRow], about("what must fail for the scenario to end in harm")]
        | UnsetType
    ) = UNSET
    verdict: Annotated[VerdictName, about("verdict of the worst asset")]
    rate: Annotated[
        RateInterval,
        about(
            "trials: true failure rate, corrected for the judge's errors, at the policy's "
            "error rates, valid at any stopping time, the intersection of all intervals so far. "
            "Inspection: mean and 90 % range of the probability that the barrier fails, given "
            "the findings and what the scanner was measured to find"
        ),
    ]
    limit: Annotated[
        Share | None, about("failure rate that the policy tolerates; null for an inspection")
    ]
    alpha: Annotated[Share, about("tolerated probability of calling acceptable what is not")]
    beta: Annotated[
        Share, about("tolerated probability of calling unacceptable what is acceptable")
    ]
    minimum_trials: Annotated[Count, about("no verdict before so many trials")]
    severity_tolerated: Annotated[
        SeverityName | None,
        about("inspection: the least severe finding that is NOT tolerated; null for trials"),
    ]
    judged: Annotated[
        JudgedCounts | None,
        about("counts behind `rate`, of the worst asset; null for an inspection"),
    ]
    trials: Annotated[Count, about("trials of all assets")]
    calls: Annotated[Count, about("questions sent for it, all assets")]
    would_decide: Annotated[
        str, about("what would turn undecided into a verdict; empty if decided")
    ]
    clears: Annotated[
        LimitChecks | None, about("what of the rate keeps within the limit; null for an inspection")
    ]
    path: Annotated[IntervalPath, about("of the worst asset")]
    estimand: (
        Annotated[
            Estimand | None,
            about("what the rate is about, as in the policy; null for an inspection"),
        ]
        | UnsetType
    ) = UNSET
    family: (
        Annotated[
            Annotated[int, Meta(ge=1)],
            about("number of verdicts that beta is divided among"),
        ]
        | UnsetType
    ) = UNSET
    design: (
        Annotated[
            TrialDesign | None,
            about("of the worst asset: how its trials and prompts are related"),
        ]
        | UnsetType
    ) = UNSET
    evidence: (
        Annotated[
            RiskEvidence | None,
            about("what its loss rests on"),
        ]
        | UnsetType
    ) = UNSET
    labels: (
        Annotated[
            LabelSummary | None,
            about(
                "people's labels of trials on the worst asset, which the rate and the verdict "
                "then rest on; null or absent where there are none"
            ),
        ]
        | UnsetType
    ) = UNSET
    correction: (
        Annotated[
            Literal["exact", "labels", "calibration", "none"] | None,
            about(
                "what is done about the judge's errors: `exact` outcomes have none; the rate rests "
                "on people's `labels`, or on the judge's `calibration`; `none` means that nobody "
                "measured the judge: the rate is as judged, what the judge misses is not in it, "
                "and nothing is unacceptable. Null for an inspection"
            ),
        ]
        | UnsetType
    ) = UNSET
    outlook: (
        Annotated[
            JudgeOutlook | None,
            about("what could not be decided with this judge, known before the first question"),
        ]
        | UnsetType
    ) = UNSET
    forecast: Annotated[LabelForecast | None, about("what more labels would bring")] | UnsetType = (
        UNSET
    )
    assets: Annotated[list[AssetRisk], about("the risk on each asset that was examined")]
    worst_finding: Annotated[
        SeverityName | None, about("severity of the gravest finding, null if none")
    ]
    findings: Annotated[Count, about("number of findings")]
    worst_case: (
        Annotated[
            WorstCase | None,
            about(
                "the claim about every attack in every category on the worst asset; null or "
                "absent where the risk is not assessed cell by cell"
            ),
        ]
        | UnsetType
    ) = UNSET
    loss: Annotated[RiskLoss, about("loss from this risk in a year, in the unit of `loss`")]
    standards: Annotated[list[RiskStandard], about("items of standards that it maps to")]
    remedies: Annotated[list[str], about("what lowers it")]
