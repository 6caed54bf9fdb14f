"""The document of an audit of differential privacy, ``buttress-privacy-audit/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from buttress.documents.fields import Amount, Count, DocumentPart, Number, Share, about


class PrivacyAuditDocument(DocumentPart, frozen=True, kw_only=True):
    """What the scores of canaries of one training run prove about ε."""

    schema: Annotated[Literal["buttress-privacy-audit/1"], about("buttress-privacy-audit/1")]
    version: Annotated[str, about("version of Buttress")]
    scores: Annotated[str, about("file with the scores")]
    canaries: Annotated[Number, about("canaries, or pairs of which one was trained on")]
    paired: Annotated[bool, about("whether each canary is one of a pair, chosen by a coin")]
    adjacency: Annotated[
        Literal["replace", "add-remove"], about("what ε is about: replacing, or adding or removing")
    ]
    delta: Annotated[Share, about("δ of the claim")]
    confidence: Annotated[float, Meta(gt=0, lt=1), about("probability with which the bound holds")]
    guesses: Annotated[Count, about("coins that were guessed")]
    correct: Annotated[Count, about("right guesses")]
    p_value: Annotated[Share, about("of these guesses if ε were 0")]
    epsilon_low: Annotated[Amount, about("lower bound on ε")]
    largest: Annotated[Amount, about("the most that so many canaries can show")]
    claimed: Annotated[Amount | None, about("ε that was claimed; null if none")]
    outcome: Annotated[
        Literal["refuted", "not refuted", "undecided"] | None,
        about(
            "of the claim: refuted; not refuted although the canaries could have; undecided, for "
            "so many canaries can't refute it; null without a claim"
        ),
    ]
