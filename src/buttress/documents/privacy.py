"""The document of ``buttress privacy``, ``buttress-privacy/1``; ``workflows`` builds it."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import Amount, Count, DocumentPart, Share, UtcTime, about


class HitRate(DocumentPart, frozen=True, kw_only=True):
    """True positives at a share of false ones."""

    fpr: Annotated[Share, about("share of non-members above the threshold")]
    value: Annotated[Share | None, about("share of members above it; null if too few texts")]
    low: Annotated[Share, about("lower bound, 95 %")]
    high: Annotated[Share, about("upper bound, 95 %")]


class MembershipAttack(DocumentPart, frozen=True, kw_only=True):
    """One attack; higher scores say "trained on"."""

    attack: Annotated[str, about("name")]
    auc: Annotated[Share, about("area under the ROC curve; 0.5 is chance")]
    auc_low: Annotated[Share, about("lower bound, 95 %")]
    auc_high: Annotated[Share, about("upper bound, 95 %")]
    tpr: Annotated[list[HitRate], about("hits at 0.1 % and 1 % false alarms")]


class BlindClassifier(DocumentPart, frozen=True, kw_only=True):
    """A classifier that sees the texts alone, never the model."""

    auc: Annotated[Share, about("area under the ROC curve, out of fold")]
    auc_low: Annotated[Share, about("lower bound, about 95 %")]
    auc_high: Annotated[Share, about("upper bound, about 95 %")]
    distinguishes: Annotated[bool, about("whether it tells the groups apart")]


class MembershipPart(DocumentPart, frozen=True, kw_only=True):
    """Membership inference."""

    usable: Annotated[bool, about("whether the attacks show more than the texts alone do")]
    reason: Annotated[str, about("why not; empty if usable")]
    members: Annotated[Count, about("texts that were trained on")]
    non_members: Annotated[Count, about("texts that were not")]
    left_out: Annotated[dict[str, Count], about("texts that were not scored, by reason")]
    blind: Annotated[BlindClassifier | None, about("null if there are no texts")]
    attacks: Annotated[list[MembershipAttack], about("attacks, by falling area")]
    skipped: Annotated[dict[str, str], about("attacks that were not made, and why")]
    leak: Annotated[
        bool, about("an attack's lower bound, corrected for their number, is above 0.5")
    ]


class CanaryExposure(DocumentPart, frozen=True, kw_only=True):
    """One canary."""

    id: Annotated[str, about("id")]
    repeats: Annotated[Count, about("how often it was planted")]
    bits: Annotated[Amount, about("exposure by rank among the references")]
    low: Annotated[Amount, about("lower bound, 95 %")]
    high: Annotated[Amount, about("upper bound, 95 %")]
    saturated: Annotated[bool, about("no reference is more likely: more can't be shown")]
    extrapolated: Annotated[Amount | None, about("bits by a skew-normal law; if saturated")]
    verbatim: Annotated[bool, about("whether the model writes the secret after its prefix")]


class RepeatedCanaries(DocumentPart, frozen=True, kw_only=True):
    """Canaries that were planted equally often."""

    repeats: Annotated[Count, about("how often")]
    canaries: Annotated[Count, about("number")]
    mean_bits: Annotated[Amount, about("mean exposure")]
    low: Annotated[Amount, about("lower bound of the mean, 95 %; canaries differ at random")]
    high: Annotated[Amount, about("upper bound of the mean")]
    verbatim: Annotated[Count, about("written by the model after their prefix")]
    p_value: Annotated[Share, about("of exposures like these by chance")]


class ExposurePart(DocumentPart, frozen=True, kw_only=True):
    """Exposure of canaries."""

    references: Annotated[Count, about("other secrets beside each")]
    chance_bits: Annotated[Amount, about("mean exposure of a secret that was not trained on")]
    most_bits: Annotated[Amount, about("the most that so many references can show")]
    groups: Annotated[list[RepeatedCanaries], about("by number of repeats")]
    canaries: Annotated[list[CanaryExposure], about("each")]
    leak: Annotated[bool, about("whether exposures are above chance; error 5 % over all groups")]


class ExtractedShare(DocumentPart, frozen=True, kw_only=True):
    """Continuations of one group of texts by one model."""

    texts: Annotated[Count, about("texts that were continued")]
    verbatim: Annotated[Count, about("continued as they go on")]
    near: Annotated[Count, about("the same but for a fifth of the tokens; verbatim ones too")]
    near_low: Annotated[Share, about("lower bound of the share of near ones, 95 %")]
    near_high: Annotated[Share, about("upper bound of the share of near ones, 95 %")]
    longest_run: Annotated[Count, about("most tokens in a row that are the text's")]
    chance: Annotated[
        dict[str, Share], about("mean probability that one of so many sampled draws is verbatim")
    ]
    personal_data: Annotated[
        dict[str, Count], about("personal data and secrets of the texts that the model wrote")
    ]


class ExtractionPart(DocumentPart, frozen=True, kw_only=True):
    """Prefix continuation."""

    prefix_tokens: Annotated[Count, about("most tokens that were given")]
    suffix_tokens: Annotated[Count, about("most tokens that were to be written")]
    left_out: Annotated[dict[str, Count], about("texts that were not continued, by reason")]
    members: Annotated[ExtractedShare, about("texts that were trained on")]
    non_members: Annotated[ExtractedShare | None, about("texts that were not; null without them")]
    reference: Annotated[
        ExtractedShare | None, about("members, by a reference model; null without it")
    ]
    leak: Annotated[
        bool | None,
        about("whether more is near than by the base rate; null without one if anything is near"),
    ]


class DivergenceMatches(DocumentPart, frozen=True, kw_only=True):
    """Answers to a repeated word, held against one group of texts."""

    texts: Annotated[Count, about("texts that the answers were held against")]
    hits: Annotated[Count, about("answers with a run of tokens or personal data of the texts")]
    low: Annotated[Share, about("lower bound of the share of such answers, 95 %")]
    high: Annotated[Share, about("upper bound of the share of such answers, 95 %")]
    longest_run: Annotated[Count, about("most tokens in a row that stand in the texts")]
    personal_data: Annotated[
        dict[str, Count], about("personal data and secrets of the texts that the model wrote")
    ]


class DivergencePart(DocumentPart, frozen=True, kw_only=True):
    """The divergence attack: a word repeated without end."""

    draws: Annotated[Count, about("sampled answers")]
    answer_tokens: Annotated[Count, about("most tokens of an answer")]
    run_tokens: Annotated[Count, about("tokens in a row from which an answer holds a text")]
    diverged: Annotated[Count, about("answers that stopped repeating the word")]
    members: Annotated[DivergenceMatches, about("against texts that were trained on")]
    non_members: Annotated[DivergenceMatches | None, about("against as many that were not")]
    reference: Annotated[
        DivergenceMatches | None, about("answers of a reference model against the members")
    ]
    leak: Annotated[
        bool | None, about("whether more hits than by the base rate; null without one if any hits")
    ]


class NamedAttributes(DocumentPart, frozen=True, kw_only=True):
    """How many hidden attributes were named right."""

    records: Annotated[Count, about("records")]
    right: Annotated[Count, about("named right")]
    accuracy: Annotated[Share, about("share named right")]
    low: Annotated[Share, about("lower bound, 95 %")]
    high: Annotated[Share, about("upper bound, 95 %")]


class AttributesPart(DocumentPart, frozen=True, kw_only=True):
    """Attribute inference."""

    records: Annotated[Count, about("records that were trained on")]
    accuracy: Annotated[Share, about("share whose hidden attribute the model ranks first")]
    low: Annotated[Share, about("lower bound, 95 %")]
    high: Annotated[Share, about("upper bound, 95 %")]
    chance: Annotated[Share, about("share that a random candidate would be right")]
    commonest: Annotated[NamedAttributes | None, about("by the commonest value")]
    blind: Annotated[NamedAttributes | None, about("by a classifier that sees the texts alone")]
    non_members: Annotated[
        NamedAttributes | None, about("of records that were not trained on; null without them")
    ]
    reference: Annotated[NamedAttributes | None, about("by a reference model; null without it")]
    leak: Annotated[
        bool | None, about("whether surely more than each base; null if that can't be said")
    ]
    reason: Annotated[str, about("why it can't be said; else empty")]


class PrivacyDocument(DocumentPart, frozen=True, kw_only=True):
    """What a model gives away of the data that it was trained on."""

    schema: Annotated[Literal["buttress-privacy/1"], about("buttress-privacy/1")]
    version: Annotated[str, about("version of Buttress")]
    finished: Annotated[UtcTime, about("end of the run")]
    subject: Annotated[str, about("weights, or file with scores of tokens")]
    identity: Annotated[str, about("digest of the weights or of the file")]
    reference: Annotated[str | None, about("weights of the reference model")]
    seed: Annotated[int, about("seed of all draws")]
    membership: Annotated[MembershipPart | None, about("null if not measured")]
    exposure: Annotated[ExposurePart | None, about("null if not measured")]
    extraction: Annotated[ExtractionPart | None, about("null if not measured")]
    divergence: Annotated[DivergencePart | None, about("null if not measured")] = None
    attributes: Annotated[AttributesPart | None, about("null if not measured")] = None
    preferences: Annotated[
        MembershipPart | None, about("membership of preference pairs; null if not measured")
    ] = None
    outcome: Annotated[
        Literal["leak", "no leak shown", "undecided"],
        about("leak: a part shows one; undecided: none does, and a part can't say"),
    ]
