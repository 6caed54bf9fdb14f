"""The document of ``buttress align`` and ``buttress harden``, ``buttress/alignment/1``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from buttress.documents.fields import Amount, Count, DocumentPart, Share, about

PartName = Literal["held-out", "seen", "public"]
VerdictOnChange = Literal["better", "no-worse", "worse", "undecided"]
ExitCode = Literal[0, 1, 3]


class ChangeInterval(DocumentPart, frozen=True, kw_only=True):
    """A rate after the intervention less that before, from -1 to 1."""

    estimate: Annotated[float, about("corrected for the judge's errors where they are known")]
    low: Annotated[float, about("lower bound, 95 %, whenever one stops")]
    high: Annotated[float, about("upper bound")]


class RiskComparison(DocumentPart, frozen=True, kw_only=True):
    """A failure rate on one part of the requests, before and after."""

    risk: Annotated[
        str, about("harmful-compliance, over-refusal, ordinary-refusal or degenerate-answers")
    ]
    part: Annotated[PartName, about("held-out: of categories that nothing was trained on")]
    before: Annotated[Share, about("share of failures before, as judged or labelled")]
    after: Annotated[Share, about("the same after")]
    difference: Annotated[ChangeInterval, about("the change, paired by request")]
    pairs: Annotated[Count, about("requests with an answer on both sides")]
    lost: Annotated[Count, about("requests without an answer or judgement on a side")]
    not_asked: Annotated[
        Count, about("requests that were not asked after: something was shown worse before them")
    ]
    margin: Annotated[Share, about("rise that still counts as no worse")]
    verdict: Annotated[VerdictOnChange, about("what the interval shows")]
    correction: Annotated[
        Literal["labels", "calibration", "none"],
        about("labels: of both sides; calibration: the judge's errors, see `judge_errors`"),
    ]
    labels: Annotated[list[int], about("number of labels before and after")]
    degenerate: Annotated[list[float], about("share of degenerate answers before and after")]


class CategorySplitRow(DocumentPart, frozen=True, kw_only=True):
    """What was held out."""

    held_out_categories: Annotated[list[str], about("harm categories that nothing was trained on")]
    held_out: Annotated[Count, about("requests of these")]
    seen: Annotated[Count, about("requests that could be trained on")]
    public: Annotated[Count, about("requests of other authors")]
    ordinary: Annotated[Count, about("ordinary requests")]
    dropped: Annotated[list[str], about("ids left out as near-duplicates across parts")]


class PerplexityChange(DocumentPart, frozen=True, kw_only=True):
    """Perplexity of the unchanged model's answers to ordinary requests, under both models."""

    before: Annotated[Amount, about("under the unchanged model")]
    after: Annotated[Amount, about("under the changed one")]
    change: Annotated[float, about("after over before, less 1")]
    margin: Annotated[Share, about("rise that still counts as no worse")]
    tokens: Annotated[Count, about("tokens that it is the mean over")]
    verdict: Annotated[
        Literal["no-worse", "worse"], about("of these very texts: there is no interval")
    ]


class AttackComparison(DocumentPart, frozen=True, kw_only=True):
    """Compliance with held-out harmful requests under an attack, before and after.

    Of `extraction`: training answers that the model completes from their first half.
    """

    attack: Annotated[str, about("prefill, refusal-direction, extraction, or a family of attacks")]
    before: Annotated[Share, about("share of failures before, as judged or counted")]
    after: Annotated[Share, about("the same after")]
    difference: Annotated[ChangeInterval, about("the change, paired by request, as judged")]
    pairs: Annotated[Count, about("requests or records with an answer on both sides")]


class TriedRecipe(DocumentPart, frozen=True, kw_only=True):
    """A recipe that was tried, on the held-out categories."""

    name: Annotated[str, about("name of the recipe")]
    kind: Annotated[str, about("kind of intervention")]
    harm: Annotated[float | None, about("share of harmful requests complied with; null: not run")]
    over_refusal: Annotated[float | None, about("share of look-alikes refused; null: not run")]
    exit: Annotated[ExitCode | None, about("exit code of this recipe alone; null: not run")]
    why_not: Annotated[str, about("why it was not run; empty where it was")]
    setting: Annotated[dict[str, Any], about("settings that decide what serves the model")]
    details: Annotated[dict[str, Any], about("what the training step found, by name")]


class ChangedAnswer(DocumentPart, frozen=True, kw_only=True):
    """A request whose outcome changed."""

    risk: Annotated[str, about("risk")]
    category: Annotated[str, about("harm category")]
    request: Annotated[str, about("what was asked")]
    before: Annotated[str, about("the answer before")]
    after: Annotated[str, about("the answer after")]
    became: Annotated[Literal["better", "worse"], about("how the outcome changed")]


class AlignmentDocument(DocumentPart, frozen=True, kw_only=True):
    """An intervention, measured on the same requests before and after."""

    schema: Annotated[Literal["buttress/alignment/1"], about("buttress/alignment/1")]
    command: Annotated[Literal["align", "harden"], about("what made it")]
    system: Annotated[str, about("name of the system")]
    asset: Annotated[str, about("asset that was changed")]
    run: Annotated[str, about("run id in the evidence")]
    judge: Annotated[str, about("judge of the answers")]
    judge_errors: Annotated[
        Literal["alike", "apart"],
        about("alike: the judge is taken to err as often before as after; apart: it is not"),
    ]
    seed: Annotated[Count, about("of the split and of training")]
    recipe: Annotated[str, about("the recipe that `comparison` is about: the best of those tried")]
    exit: Annotated[ExitCode, about("0 better and no worse, 1 worse on something, 3 undecided")]
    targets: Annotated[list[str], about("risks that are to become better")]
    comparison: Annotated[list[RiskComparison], about("each risk on each part")]
    split: Annotated[CategorySplitRow, about("what was held out")]
    perplexity: Annotated[PerplexityChange | None, about("null without weights")]
    attacks: Annotated[list[AttackComparison], about("attacks before and after")]
    recipes: Annotated[list[TriedRecipe], about("all recipes that were tried")]
    changed: Annotated[list[ChangedAnswer], about("held-out requests whose outcome changed")]
    limits: Annotated[list[str], about("what this does not show")]
