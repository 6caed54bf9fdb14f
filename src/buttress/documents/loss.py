"""The expected loss in the assessment document: its distribution, errors and inputs."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, UnsetType

from buttress.documents.fields import (
    Amount,
    Count,
    DocumentPart,
    Share,
    about,
)


class LossShare(DocumentPart, frozen=True, kw_only=True):
    """A share."""

    risk: Annotated[str, about("risk id")]
    share: Annotated[Amount, about("share of the mean")]
    title: (
        Annotated[
            str,
            about("the risk in words"),
        ]
        | UnsetType
    ) = UNSET
    mean: (
        Annotated[
            Amount,
            about("mean loss a period"),
        ]
        | UnsetType
    ) = UNSET
    measured: (
        Annotated[
            bool,
            about("whether evidence informs it; else it stands at its prior"),
        ]
        | UnsetType
    ) = UNSET


LossCurve = list[tuple[Annotated[Amount, about("loss")], Annotated[Share, about("probability")]]]


class LossBand(DocumentPart, frozen=True, kw_only=True):
    """Ignorance of the inputs: percentiles, over possible worlds, of each loss's probability."""

    low: Annotated[LossCurve, about("5th percentile")]
    middle: Annotated[LossCurve, about("median")]
    high: Annotated[LossCurve, about("95th percentile")]


class LossErrors(DocumentPart, frozen=True, kw_only=True):
    """Standard errors of the simulation."""

    median: Annotated[Amount, about("of the median")]
    p95: Annotated[Amount, about("of the 95th percentile")]
    p99: Annotated[Amount, about("of the 99th percentile")]


class LossInput(DocumentPart, frozen=True, kw_only=True):
    """An input of the loss model."""

    risk: Annotated[str, about("risk id")]
    input: Annotated[str, about("`frequency`, or the barrier's id")]
    title: Annotated[str, about("the input in words")] | UnsetType = UNSET
    low: Annotated[Amount, about("mean loss of all risks if it is at its 5th percentile")]
    high: Annotated[Amount, about("the same at its 95th percentile")]
    evppi: Annotated[
        Amount,
        about("value of knowing it exactly, at most: to who finds going ahead worth the mean"),
    ]


class LossDistribution(DocumentPart, frozen=True, kw_only=True):
    """A year's loss from all risks of the catalogue; those that nothing informs have priors."""

    unit: Annotated[str, about("currency")]
    period: Annotated[str, about("period that figures are for")]
    mean: Annotated[Amount, about("mean")]
    median: Annotated[Amount, about("median")]
    p95: Annotated[Amount, about("95th percentile")]
    p99: Annotated[Amount, about("99th percentile")]
    exceedance: Annotated[LossCurve, about("points of the curve, falling in probability")]
    sensitivity: Annotated[list[LossShare], about("share of each risk in the mean, largest first")]
    draws: Annotated[Count, about("possible worlds that were drawn")]
    risks: Annotated[list[str], about("risks that evidence informs")]
    mean_measured: (
        Annotated[
            Amount,
            about("part of the mean that comes from measured risks"),
        ]
        | UnsetType
    ) = UNSET
    cap: (
        Annotated[
            Amount,
            about("the most that can be lost"),
        ]
        | UnsetType
    ) = UNSET
    beyond_cap: (
        Annotated[
            Share,
            about("probability that a period's loss reaches the cap"),
        ]
        | UnsetType
    ) = UNSET
    error: (
        Annotated[
            LossErrors,
            about("standard errors of the simulation"),
        ]
        | UnsetType
    ) = UNSET
    band: (
        Annotated[
            LossBand,
            about("ignorance of the inputs"),
        ]
        | UnsetType
    ) = UNSET
    inputs: (
        Annotated[
            list[LossInput],
            about("inputs that move the mean most, those first that are worth most to know"),
        ]
        | UnsetType
    ) = UNSET
