"""The document of a white-box study, ``buttress/white-box/1``; ``workflows`` writes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from buttress.documents.fields import Amount, Count, DocumentPart, Share, about

Bounds = Annotated[list[float], Meta(min_length=2, max_length=2)]


class StudyJudge(DocumentPart, frozen=True, kw_only=True):
    """The judge."""

    id: Annotated[str, about("judge id")]
    version: Annotated[str, about("judge version")]


class AttackEffect(DocumentPart, frozen=True, kw_only=True):
    """Failures, as judged, of the same requests without and with an attack."""

    requests: Annotated[Count, about("requests answered both ways")]
    before: Annotated[Share, about("failure rate without the attack")]
    before_interval: Annotated[Bounds, about("low and high")]
    after: Annotated[Share, about("failure rate with the attack")]
    after_interval: Annotated[Bounds, about("low and high")]
    difference: Annotated[float, about("rate after less that before")]
    difference_interval: Annotated[Bounds, about("low and high")]
    gained: Annotated[Count, about("requests that fail with the attack only")]
    lost: Annotated[Count, about("requests that fail without it only")]
    confidence: Annotated[Share, about("of the intervals, whenever one stops")]


class PrefixLikelihood(DocumentPart, frozen=True, kw_only=True):
    """Mean log-probability in nats of how a compliant answer begins."""

    before: Annotated[float, about("without the attack")]
    after: Annotated[float, about("with it")]


class RefusalDirectionScores(DocumentPart, frozen=True, kw_only=True):
    """The refusal direction that was chosen."""

    layer: Annotated[Count, about("layer whose output it is from, from 0")]
    position: Annotated[int, about("token position, from the end")]
    baseline: Annotated[float, about("log odds of a refusal, unchanged")]
    bypass: Annotated[float, about("log odds of a refusal without the direction")]
    induce: Annotated[float, about("log odds of a refusal of harmless requests with it added")]
    divergence: Annotated[float, about("change of the first token on harmless requests, nats")]


class ModelDrift(DocumentPart, frozen=True, kw_only=True):
    """How far the changed model moved, on answers to harmless requests."""

    answers: Annotated[Count, about("answers")]
    tokens: Annotated[Count, about("tokens of these")]
    first_token: Annotated[float, about("divergence of the first token, nats")]
    per_token: Annotated[float, about("mean divergence of a token, nats")]
    perplexity_before: Annotated[Amount, about("of the original model")]
    perplexity_after: Annotated[Amount, about("of the changed model")]


class MethodResult(DocumentPart, frozen=True, kw_only=True):
    """What one method did."""

    method: Annotated[str, about("method id")]
    attack_success: Annotated[AttackEffect | None, about("null where nothing was answered")]
    prefix_log_probability: Annotated[
        PrefixLikelihood | None, about("null where the method sets the prefix")
    ]
    seconds_per_request: Annotated[Amount | None, about("mean; null where it is not known")]
    not_attacked: Annotated[list[str], about("requests without a result, and why")]
    prefix_reached: (
        Annotated[Count, about("requests whose answer began with the prefix")] | UnsetType
    ) = UNSET
    steps: Annotated[list[int | None], about("steps for each request")] | UnsetType = UNSET
    direction: Annotated[RefusalDirectionScores, about("what was chosen")] | UnsetType = UNSET
    over_refusal: (
        Annotated[AttackEffect | None, about("of harmless requests; null if none")] | UnsetType
    ) = UNSET
    drift: Annotated[ModelDrift | None, about("null if nothing was answered")] | UnsetType = UNSET


class WhiteBoxDocument(DocumentPart, frozen=True, kw_only=True):
    """What somebody who holds the weights can make a model do."""

    schema: Annotated[Literal["buttress/white-box/1"], about("buttress/white-box/1")]
    weights: Annotated[str, about("name of the folder with the weights")]
    identity: Annotated[str, about("digest of the weights")]
    run: Annotated[str, about("run id")]
    judge: Annotated[StudyJudge, about("the judge")]
    settings: Annotated[dict[str, Any], about("settings of the study and of its methods")]
    methods: Annotated[list[MethodResult], about("methods in the order in which they ran")]
    left_out: Annotated[dict[str, str], about("method to why it has no result")]
