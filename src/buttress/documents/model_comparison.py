"""The document of ``buttress explain WEIGHTS --compare``, ``buttress/model-comparison/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.explanation import ProbedConcept
from buttress.documents.fields import Amount, Count, DocumentPart, Number, about


class DivergentAnswer(DocumentPart, frozen=True, kw_only=True):
    """The answer of the model before on which both differ most."""

    request: Annotated[str, about("the request")]
    tokens: Annotated[list[str], about("tokens of the answer")]
    divergences: Annotated[
        list[Amount], about("Kullback-Leibler divergence of each next token, before to after, nats")
    ]


class KindDivergence(DocumentPart, frozen=True, kw_only=True):
    """Divergences on requests of one kind, as means."""

    requests: Annotated[Number, about("requests with an answer")]
    first_token: Annotated[Amount, about("of the answers' first tokens, nats")]
    per_token: Annotated[Amount, about("of all tokens of the answers, nats")]
    by_position: Annotated[list[Amount], about("by place in the answer, from the first token on")]
    by_layer: Annotated[
        list[Amount],
        about("of the next token as the logit lens reads it at the last token before the answer, "
              "by layer; what enters it, at last what leaves the last one; empty if unreadable"),
    ]  # fmt: skip
    turned: Annotated[list[float], about("one less the cosine of both models' states, by layer")]


class DirectionShift(DocumentPart, frozen=True, kw_only=True):
    """The refusal direction that enters a layer, in both models."""

    layer: Annotated[Count, about("from 0")]
    cosine: Annotated[float | None, about("of both directions; null where there is none")]
    induced_before: Annotated[
        float | None, about("log odds of refusing harmless requests with it added, before")
    ]
    induced_after: Annotated[float | None, about("the same after")]


class ProbeShift(DocumentPart, frozen=True, kw_only=True):
    """Probes of one concept on both models."""

    concept: Annotated[str, about("name of the concept")]
    before: Annotated[ProbedConcept | None, about("null where it could not be probed")]
    after: Annotated[ProbedConcept | None, about("null where it could not be probed")]


class ModelComparisonDocument(DocumentPart, frozen=True, kw_only=True):
    """What training changed, from the inside; it gives no verdict."""

    schema: Annotated[Literal["buttress/model-comparison/1"], about("buttress/model-comparison/1")]
    version: Annotated[str, about("version of Buttress")]
    weights: Annotated[str, about("name of the folder of weights before")]
    identity: Annotated[str, about("digest of its files")]
    compared: Annotated[str, about("name of the adapter's or the second weights' folder")]
    compared_identity: Annotated[str, about("digest of its files")]
    kind: Annotated[Literal["adapter", "weights"], about("what is compared with")]
    seed: Annotated[Count, about("of the sample of requests")]
    harmful: Annotated[KindDivergence | None, about("null where no answer has words")]
    harmless: Annotated[KindDivergence | None, about("look-alikes; null as above")]
    example: Annotated[DivergentAnswer | None, about("null where no answer has words")]
    direction_requests: Annotated[Count, about("of either kind, that the directions come from")]
    directions: Annotated[list[DirectionShift], about("by layer")]
    probes: Annotated[list[ProbeShift], about("by concept; empty without --probe")]
    left_out: Annotated[dict[str, str], about("what could not be done, and why")]
