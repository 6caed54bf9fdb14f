"""The assessment document, ``buttress-assessment/1``: all reports are made from it.

To add a field: add it to its class here or in ``risk``, ``loss`` or ``coverage``, with ``about``
and, for a document that may lack it, ``| UnsetType = UNSET``; fill it in
``workflows.assessment.document``; run
``python -m buttress.documents.schema_doc > docs/assessment-json.md``. The JSON Schema follows.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from buttress.documents.coverage import AssessmentCoverage, StandardCoverage
from buttress.documents.fields import (
    Amount,
    Count,
    DocumentPart,
    Number,
    SeverityName,
    Share,
    UtcTime,
    about,
)
from buttress.documents.loss import LossDistribution
from buttress.documents.risk import AssessedRisk, Estimand, RateInterval


class Usage(DocumentPart, frozen=True, kw_only=True):
    """A kind of use."""

    name: Annotated[str, about("name")]
    share: Annotated[Share, about("share of requests")]


class UsageProfile(DocumentPart, frozen=True, kw_only=True):
    """Operational profile."""

    users: Annotated[str, about("who uses it")]
    requests_per_day: Annotated[Amount, about("requests a day")]
    uses: Annotated[list[Usage], about("kinds of use")]
    categories: Annotated[
        dict[str, Amount],
        about("harm category to weight among harmful requests; empty where all weigh the same"),
    ]


class AssessedAsset(DocumentPart, frozen=True, kw_only=True):
    """An asset."""

    id: Annotated[str, about("asset id")]
    kind: Annotated[str, about("kind of asset")]
    location: Annotated[str, about("where it lies")]
    description: Annotated[str, about("in words; may be empty")]
    target: Annotated[str | None, about("name of the running model, null if nothing answers")]
    identity: Annotated[
        str | None, about("what the running model is, e.g. a digest of weights and settings")
    ]
    digest: Annotated[str | None, about("SHA-256 of its files, null if it has none")]


class AssessedSystem(DocumentPart, frozen=True, kw_only=True):
    """What was assessed."""

    name: Annotated[str, about("name")]
    purpose: Annotated[str, about("purpose in words; may be empty")]
    owner: Annotated[str, about("who answers for it; may be empty")]
    languages: Annotated[list[str], about("languages of the prompts, BCP 47")]
    manifest: Annotated[str, about("SHA-256 of the manifest, hex")]
    profile: Annotated[UsageProfile, about("operational profile")]
    assets: Annotated[list[AssessedAsset], about("parts of the system")]


class PolicySummary(DocumentPart, frozen=True, kw_only=True):
    """The rules of the verdicts."""

    id: Annotated[str, about("policy id")]
    title: Annotated[str, about("in words")]
    source: Annotated[str, about("where its limits are from")]
    decide_by: Annotated[
        Literal["bound", "estimate"],
        about("whether a bound of the interval or the estimate is compared with the limit"),
    ]
    estimand: (
        Annotated[
            Estimand,
            about("what rates are about: the prompts in use, or all that are drawn as these were"),
        ]
        | UnsetType
    ) = UNSET
    family_wise: (
        Annotated[
            bool,
            about("whether beta is divided among all verdicts that trials decide"),
        ]
        | UnsetType
    ) = UNSET


class BudgetLimits(DocumentPart, frozen=True, kw_only=True):
    """What might be spent; null for no limit."""

    calls: Annotated[Count | None, about("questions")]
    minutes: Annotated[Amount | None, about("minutes")]
    cost: Annotated[Amount | None, about("money, in the currency of the manifest's prices")]
    tokens: Annotated[Count | None, about("tokens of all models")] | UnsetType = UNSET


class RunSummary(DocumentPart, frozen=True, kw_only=True):
    """How it was made."""

    id: Annotated[str, about("run id")]
    seed: Annotated[Count, about("seed of the order of trials and of simulations")]
    started: Annotated[UtcTime, about("ISO 8601, UTC")]
    finished: Annotated[UtcTime, about("ISO 8601, UTC")]
    resumed: Annotated[bool, about("whether an interrupted run was taken up")]
    stop_reason: Annotated[str, about("why testing stopped")]
    budget: Annotated[BudgetLimits, about("what might be spent; null for no limit")]
    versions: Annotated[dict[str, str], about("software to version")]


class EvidenceSummary(DocumentPart, frozen=True, kw_only=True):
    """The evidence store behind this document."""

    records: Annotated[Count, about("records in the store")]
    head: Annotated[
        str, about("hash of the last record, hex; `buttress evidence verify --head` checks it")
    ]


class CalibrationRates(DocumentPart, frozen=True, kw_only=True):
    """How often the judge is right on one task, from labelled answers; positive means failure."""

    tp: Annotated[Count, about("failures that it called failures")]
    fn: Annotated[Count, about("failures that it missed")]
    tn: Annotated[Count, about("good answers that it called good")]
    fp: Annotated[Count, about("good answers that it called failures")]
    sensitivity: Annotated[
        RateInterval,
        about("share of failures that it sees; 95 % interval (Clopper & Pearson 1934)"),
    ]
    specificity: Annotated[
        RateInterval, about("share of good answers that it lets pass; 95 % interval")
    ]
    precision: (
        Annotated[
            RateInterval,
            about(
                "share of judged failures, beyond those of systems as shipped, that are "
                "failures; absent where it was not measured"
            ),
        ]
        | UnsetType
    ) = UNSET
    source: Annotated[str, about("where the labels are from")]


class JudgeCalibrations(DocumentPart, frozen=True, kw_only=True):
    """For each task, null where it has none."""

    refuse: Annotated[
        CalibrationRates | None, about("harmful requests, where a failure is compliance")
    ]
    answer: Annotated[CalibrationRates | None, about("benign requests, where a failure is refusal")]


class JudgeSummary(DocumentPart, frozen=True, kw_only=True):
    """The judge of the trials; null where no trial was run."""

    id: Annotated[str, about("judge id")]
    version: Annotated[str, about("judge version")]
    calibration: Annotated[JudgeCalibrations, about("for each task, null where it has none")]


class FindingPlace(DocumentPart, frozen=True, kw_only=True):
    """Where a finding lies."""

    path: Annotated[str, about("path from the asset, with /; what can't be shown is escaped")]
    member: Annotated[str, about("part of an archive, each step after a !; may be empty")]
    line: Annotated[Number, about("from 1")] | None
    column: Annotated[Number, about("from 1")] | None
    offset: Annotated[Count, about("byte, from 0")] | None
    uri: Annotated[
        str,
        Meta(pattern="^[!-~]*$"),
        about("the path with its bytes percent-encoded, where some are escaped"),
    ]


class FindingRow(DocumentPart, frozen=True, kw_only=True):
    """A finding."""

    rule: Annotated[str, about("rule id")]
    severity: Annotated[SeverityName, about("how grave")]
    asset: Annotated[str, about("asset id")]
    location: Annotated[str, about("path, path:line or path@byte offset, relative to the asset")]
    place: Annotated[FindingPlace | None, about("the location in parts")] | UnsetType = UNSET
    message: Annotated[str, about("what is wrong, in a sentence")]
    remedy: Annotated[str, about("what to do")]
    references: Annotated[list[str], about("ids such as CWE-502, CVE-…, LLM03, AML.T0010")]
    proof: Annotated[str, about("short and redacted; may be empty")]
    risk: Annotated[str | None, about("id of the risk that it informs")]
    probe: Annotated[str, about("probe that found it")]


class PooledCell(DocumentPart, frozen=True, kw_only=True):
    """A cell."""

    probe: Annotated[str, about("probe id")]
    attack: Annotated[str, about("attack family, direct where there is none")]
    category: Annotated[str, about("harm category")]
    trials: Annotated[
        Count, about("trials; 0 where the rate is borrowed from row and column alone")
    ]
    failures: Annotated[Count, about("judged failures")]
    estimate: Annotated[Share, about("posterior mean of the judged failure rate")]
    low: Annotated[Share, about("lower end of the credible interval")]
    high: Annotated[Share, about("upper end")]


class WorstAnswer(DocumentPart, frozen=True, kw_only=True):
    """An answer."""

    probe: Annotated[str, about("probe id")]
    attack: Annotated[str, about("attack family")]
    category: Annotated[str, about("harm category")]
    language: Annotated[str, about("BCP 47")]
    expect: Annotated[Literal["refuse", "answer"], about("what a safe model does")]
    request: Annotated[str, about("the request before any attack")]
    prompt: Annotated[str, about("what was sent")]
    answer: Annotated[str, about("what came back")]
    score: Annotated[float, about("the judge's graded figure for failure")]
    reason: Annotated[str, about("the judge's reason; may be empty")]


class RunTotals(DocumentPart, frozen=True, kw_only=True):
    """What it took."""

    calls: Annotated[Count, about("questions sent to targets")]
    attacker_calls: Annotated[Count, about("questions sent to the attacker model")] | UnsetType = (
        UNSET
    )
    judge_calls: Annotated[Count, about("questions sent to the judge's models")] | UnsetType = UNSET
    unanswered: (
        Annotated[
            Count,
            about("questions that were asked and have no outcome; bounds take them as either"),
        ]
        | UnsetType
    ) = UNSET
    tokens: (
        Annotated[Count, about("tokens read and written, those of judge and attacker included")]
        | UnsetType
    ) = UNSET
    estimated_tokens: (
        Annotated[bool, about("whether tokens are estimates, because a target told none")]
        | UnsetType
    ) = UNSET
    refused_by: (
        Annotated[
            dict[str, Count],
            about("answers refused by the system around the model, by who refused"),
        ]
        | UnsetType
    ) = UNSET
    finish_reasons: (
        Annotated[
            dict[str, Count], about("why answers that were not refused ended, as the target said")
        ]
        | UnsetType
    ) = UNSET
    no_help: (
        Annotated[
            dict[str, Count],
            about("answers that help with nothing and harm nobody, such as an echo, by kind"),
        ]
        | UnsetType
    ) = UNSET
    trials: Annotated[Count, about("trials")]
    cached: Annotated[Count, about("trials answered from the evidence of earlier runs")]
    errors: Annotated[Count, about("trials without an answer")]
    prompt_tokens: Annotated[Count, about("tokens sent")]
    completion_tokens: Annotated[Count, about("tokens received")]
    seconds: Annotated[Amount, about("wall time")]
    cost: Annotated[Amount | None, about("money; null where no price is known")]
    error_messages: Annotated[dict[str, Count], about("error message to count")]


class Assessment(DocumentPart, frozen=True, kw_only=True):
    """Everything that one assessment found.

    All reports are made from this document alone.
    Readers ignore fields that they do not know; the schema id changes when a meaning
    does.
    """

    schema: Annotated[Literal["buttress-assessment/1"], about("buttress-assessment/1")]
    system: Annotated[AssessedSystem, about("what was assessed")]
    policy: Annotated[PolicySummary, about("the rules of the verdicts")]
    run: Annotated[RunSummary, about("how it was made")]
    evidence: Annotated[EvidenceSummary, about("the evidence store behind this document")]
    judge: Annotated[
        JudgeSummary | None, about("the judge of the trials; null where no trial was run")
    ]
    risks: Annotated[
        list[AssessedRisk],
        about("risks that some probe informed, worst verdict first, then by expected loss"),
    ]
    findings: Annotated[list[FindingRow], about("defects that inspections found, gravest first")]
    cells: Annotated[list[PooledCell], about("failure rates by attack and harm category, pooled")]
    worst: Annotated[
        Annotated[list[WorstAnswer], Meta(max_length=30)],
        about("failures with the highest scores first"),
    ]
    loss: Annotated[LossDistribution, about("simulated loss of all risks in `risks` together")]
    crosswalk: Annotated[
        list[StandardCoverage], about("standards, and what this assessment says about their items")
    ]
    coverage: Annotated[AssessmentCoverage, about("what was looked at, and what was not")]
    totals: Annotated[RunTotals, about("what it took")]
