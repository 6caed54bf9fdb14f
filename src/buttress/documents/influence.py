"""The document of ``buttress data influence``, ``buttress-influence/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.fields import Count, DocumentPart, Number, Share, UtcTime, about

Influence = Annotated[float, about("between -1 and 1")]


class InfluentialRecord(DocumentPart, frozen=True, kw_only=True):
    """A record, with its rank by each method, from 1."""

    id: Annotated[str, about("id of the record")]
    file: Annotated[str, about("file")]
    line: Annotated[Count, about("line or row")]
    influence: Influence
    rank: Annotated[Number, about("rank by influence for the behaviour")]
    rank_by_words: Annotated[Number, about("rank by BM25")]
    rank_by_representation: Annotated[Number, about("rank by the model's last hidden state")]
    excerpt: Annotated[str, about("beginning of the text; personal data and secrets are hidden")]


class InfluenceDocument(DocumentPart, frozen=True, kw_only=True):
    """Which records of training data are behind a behaviour."""

    schema: Annotated[Literal["buttress-influence/1"], about("buttress-influence/1")]
    version: Annotated[str, about("version of Buttress")]
    finished: Annotated[UtcTime, about("end of the run")]
    weights: Annotated[str, about("folder of the model")]
    adapter: Annotated[str | None, about("folder of the adapter; null without")]
    data: Annotated[str, about("file or folder with the records")]
    behaviour: Annotated[str, about("file with examples of the behaviour")]
    records: Annotated[Count, about("records that were compared")]
    left_out: Annotated[dict[str, Count], about("records that were not, or were cut, by reason")]
    queries: Annotated[Count, about("examples of the behaviour")]
    rank: Annotated[Number, about("directions of each layer's inputs and outputs")]
    layers: Annotated[Count, about("layers whose gradients were compared")]
    seed: Annotated[int, about("seed of the directions")]
    supporting: Annotated[list[InfluentialRecord], about("for the behaviour, strongest first")]
    opposing: Annotated[list[InfluentialRecord], about("against it, strongest first")]
    shared_with_words: Annotated[
        Share, about("share of the supporting ones that BM25 puts among as many first, too")
    ]
    shared_with_representation: Annotated[
        Share, about("the same for the model's last hidden state")
    ]
    without: Annotated[str | None, about("file with the data without the supporting records")]
