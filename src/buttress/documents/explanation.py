"""The document of ``buttress explain``, ``buttress/explanation/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import Amount, Count, DocumentPart, Number, Share, about


class FaithfulnessFigures(DocumentPart, frozen=True, kw_only=True):
    """Deletion and insertion in the order of the values, beside random orders."""

    deletion: Annotated[float, about("mean score while tokens are removed, nats; low is good")]
    random_deletion: Annotated[float, about("the same of random orders, on average")]
    chance_deletion: Annotated[Share, about("share of orders that do at least as well")]
    insertion: Annotated[float, about("mean score while only they are there; high is good")]
    random_insertion: Annotated[float, about("the same of random orders, on average")]
    chance_insertion: Annotated[Share, about("share of orders that do at least as well")]


class TokenAttribution(DocumentPart, frozen=True, kw_only=True):
    """Values of the prompt's tokens by one method."""

    method: Annotated[str, about("name of the method")]
    values: Annotated[
        list[float], about("one for each of tokens; nats, for rollout a share of attention")
    ]
    completeness_error: Annotated[
        float | None, about("sum of values less the change from the baseline, nats; null if none "
                            "is promised")
    ]  # fmt: skip
    steps: Annotated[Count | None, about("steps of the integration; null without one")]
    faithfulness: Annotated[FaithfulnessFigures | None, about("null where tokens are too few")]
    trusted: Annotated[bool, about("completeness holds, and it beats random orders both ways")]
    why_not: Annotated[str, about("why it is not to be trusted; empty where it is")]


class LensLayer(DocumentPart, frozen=True, kw_only=True):
    """What a layer would answer if it were the last."""

    layer: Annotated[Count, about("from 0")]
    probability: Annotated[Share, about("of the answer's first token")]
    rank: Annotated[Number, about("of the answer's first token, from 1")]
    top: Annotated[list[tuple[str, float]], about("likeliest tokens with their probabilities")]


class TunedLensLayer(LensLayer, frozen=True, kw_only=True):
    """The same through an affine map that was fitted to the model's own output."""

    divergence: Annotated[
        Amount, about("from what the model says on held-out texts, mean nats a token")
    ]
    logit_divergence: Annotated[Amount, about("the same by the logit lens")]


class DirectionFigures(DocumentPart, frozen=True, kw_only=True):
    """What a refusal direction does to the answer."""

    layer: Annotated[Count, about("layer before which it is added")]
    ablated: Annotated[float, about("log probability of the answer without it anywhere, nats")]
    added: Annotated[float, about("the same with it added")]
    along: Annotated[
        list[float], about("component of each layer's input along it, as a share of its length")
    ]


class ProbedLayer(DocumentPart, frozen=True, kw_only=True):
    """A linear probe on one layer, scored on groups of texts that it was not fitted to."""

    layer: Annotated[Count, about("what enters it; the number of layers: what leaves the last")]
    area: Annotated[Share, about("area under the ROC curve on left-out groups")]
    control: Annotated[Share, about("the same with random labels")]
    prompt: Annotated[float, about("log odds of the prompt, by a probe fitted to all texts")]


class ProbedConcept(DocumentPart, frozen=True, kw_only=True):
    """What the layers tell of a concept, beside a bag of words."""

    concept: Annotated[str, about("harm, refusal, truth or personal-data")]
    texts: Annotated[Count, about("texts that it was fitted to and scored on")]
    groups: Annotated[Count, about("categories or kinds, left out in turn")]
    layers: Annotated[list[ProbedLayer], about("by layer")]
    words: Annotated[Share, about("area of a bag of words on the same left-out groups")]
    best: Annotated[Count, about("layer of the largest area")]
    gain: Annotated[
        float,
        about("area of the best layer less that of the words, or less 0.5 where that is more"),
    ]
    gain_low: Annotated[
        float, about("lower bound of the gain, one-sided 95 %, corrected for the choice of a layer")
    ]
    control_fit: Annotated[
        Share, about("random labels that a probe reproduces on the texts it was fitted to")
    ]
    shows: Annotated[bool, about("gain_low is above 0: the layers tell more than words and chance")]


class PatchingFigures(DocumentPart, frozen=True, kw_only=True):
    """Where an attack acts: states of the attacked and the plain prompt exchanged, by layer."""

    plain_prompt: Annotated[str, about("the request without the attack")]
    tokens: Annotated[Number, about("exchanged tokens, from the last before the answer backwards")]
    attacked: Annotated[float, about("log probability of the answer to the attacked prompt, nats")]
    plain: Annotated[float, about("the same to the plain prompt")]
    undone: Annotated[
        list[float], about("attacked prompt with the plain one's states entering a layer, by layer")
    ]
    induced: Annotated[
        list[float], about("plain prompt with the attacked one's states entering a layer, by layer")
    ]


class ExplanationDocument(DocumentPart, frozen=True, kw_only=True):
    """Why a model answers a prompt as it does, with what each figure is worth."""

    schema: Annotated[Literal["buttress/explanation/1"], about("buttress/explanation/1")]
    version: Annotated[str, about("version of Buttress")]
    weights: Annotated[str, about("name of the folder of weights")]
    identity: Annotated[str, about("digest of the weights' files")]
    prompt: Annotated[str, about("the prompt")]
    answer: Annotated[str, about("the answer that is explained")]
    own_answer: Annotated[bool, about("whether the model gave it by itself, greedily")]
    seed: Annotated[Count, about("of the random orders")]
    tokens: Annotated[list[str], about("tokens of the prompt, without the chat template's")]
    log_probability: Annotated[float, about("of the answer given the prompt, nats")]
    baseline_log_probability: Annotated[
        float, about("of the answer with all tokens of the prompt replaced by the baseline, nats")
    ]
    attributions: Annotated[list[TokenAttribution], about("by method")]
    lens: Annotated[list[LensLayer], about("logit lens by layer; empty where it can't be read")]
    tuned_lens: Annotated[
        list[TunedLensLayer], about("by layer, without the last; empty without --tuned-lens")
    ]
    direction: Annotated[DirectionFigures | None, about("null without --direction")]
    probes: Annotated[list[ProbedConcept], about("by concept; empty without --probe")]
    patching: Annotated[PatchingFigures | None, about("null without a plain prompt")]
    left_out: Annotated[dict[str, str], about("methods that could not be run, and why")]
