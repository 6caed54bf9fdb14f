"""The document of a measurement, ``buttress-measure/1``; ``workflows`` builds it."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import Count, DocumentPart, Share, VerdictName, about


class MeasuredRate(DocumentPart, frozen=True, kw_only=True):
    """A failure rate with a 95 % interval that holds whenever one stops."""

    trials: Annotated[Count, about("trials")]
    estimate: Annotated[Share, about("share of failures, as judged")]
    low: Annotated[Share, about("lower bound")]
    high: Annotated[Share, about("upper bound")]


class MeasuredFigure(DocumentPart, frozen=True, kw_only=True):
    """A figure of the probe's field, such as a bias score."""

    name: Annotated[str, about("name")]
    group: Annotated[str, about("trials that it is about; empty for all")]
    value: Annotated[float | None, about("value; null where it is not defined")]
    low: Annotated[float | None, about("lower bound; null where there is none")]
    high: Annotated[float | None, about("upper bound; null where there is none")]
    trials: Annotated[Count, about("trials behind it")]


class PairedRates(DocumentPart, frozen=True, kw_only=True):
    """The same items asked in two ways."""

    pairs: Annotated[Count, about("items asked in both ways")]
    worse: Annotated[Count, about("items with a higher outcome in the second")]
    better: Annotated[Count, about("items with a lower outcome in the second")]
    same: Annotated[Count, about("items with the same outcome")]
    difference: Annotated[float, about("mean outcome of the second less that of the first")]
    low: Annotated[float, about("lower bound of the difference")]
    high: Annotated[float, about("upper bound of the difference")]
    first: Annotated[VerdictName, about("verdict of the first against the limit")]
    second: Annotated[VerdictName, about("verdict of the second against the limit")]
    survives: Annotated[bool | None, about("whether the verdict is the same; null if undecided")]


class ChangedCondition(PairedRates, frozen=True, kw_only=True):
    """The items under a changed condition, beside the plain ones."""

    condition: Annotated[str, about("id of the condition")]


class ComparedLanguages(DocumentPart, frozen=True, kw_only=True):
    """The items in two languages."""

    first: Annotated[str, about("BCP 47")]
    second: Annotated[str, about("BCP 47")]
    compared: Annotated[PairedRates, about("the second beside the first")]


class Measurement(DocumentPart, frozen=True, kw_only=True):
    """One behaviour of one model, without a verdict."""

    schema: Annotated[Literal["buttress-measure/1"], about("buttress-measure/1")]
    probe: Annotated[str, about("probe id")]
    title: Annotated[str, about("what it measures, in a few words")]
    asset: Annotated[str, about("asset id")]
    exact: Annotated[bool, about("whether outcomes are exact, and need no judge")]
    failures: Annotated[MeasuredRate, about("all trials")]
    by_language: Annotated[dict[str, MeasuredRate], about("by language, BCP 47")]
    by_category: Annotated[dict[str, MeasuredRate], about("by category of the items")]
    figures: Annotated[list[MeasuredFigure], about("figures of the probe's field")]
    conditions: Annotated[list[ChangedCondition], about("changed conditions")]
    languages: Annotated[ComparedLanguages | None, about("null unless there are two languages")]
