"""The document of ``buttress watch history``, ``buttress-watch/1``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from buttress.documents.fields import Amount, Count, DocumentPart, Number, SeverityName, about

EventKind = Literal[
    "changed", "reverted", "flapping", "blind", "seen-again", "missed", "drift", "accepted"
]


class WatchedPlace(DocumentPart, frozen=True, kw_only=True):
    """A part of an asset that is compared by itself."""

    place: Annotated[str, about("such as host, page /login, scripts, interface /openapi.json")]
    facts: Annotated[Count, about("facts that it shows now")]


class WatchedStream(DocumentPart, frozen=True, kw_only=True):
    """Scores of a model's answers, as they come."""

    stream: Annotated[Literal["failures", "answers"], about("what is scored")]
    phase: Annotated[
        Literal["reference", "watching", "changed"],
        about("collecting the reference, comparing with it, or changed and not accepted"),
    ]
    reference: Annotated[Count, about("scores of the sample that is compared with")]
    outcomes: Annotated[Count, about("scores since the reference or the last alarm")]
    statistic: Annotated[Amount, about("Shiryaev-Roberts statistic; an alarm at threshold")]


class WatchedAsset(DocumentPart, frozen=True, kw_only=True):
    """Something that is watched, and where it stands."""

    kind: Annotated[Literal["host", "build", "behaviour"], about("what it is")]
    asset: Annotated[str, about("id of the asset, its URL or path, or probe and model")]
    checked: Annotated[Amount, about("last check, seconds since 1970-01-01 UTC; 0 for none")]
    blind: Annotated[str, about("why not all of it is seen; empty where it is")]
    blind_since: Annotated[Amount, about("since when, seconds since 1970-01-01 UTC")]
    places: Annotated[list[WatchedPlace], about("its parts")]
    open: Annotated[list[Number], about("numbers of its open events")]
    streams: Annotated[list[WatchedStream], about("of a model's answers")]


class WatchEvent(DocumentPart, frozen=True, kw_only=True):
    """Something that was told."""

    number: Annotated[Number, about("from 1, in the order in which events were told")]
    kind: Annotated[EventKind, about("what happened")]
    severity: Annotated[SeverityName, about("how grave it is")]
    asset: Annotated[str, about("asset that it is about")]
    place: Annotated[str, about("part of the asset")]
    message: Annotated[str, about("one sentence")]
    time: Annotated[Amount, about("when it was told, seconds since 1970-01-01 UTC")]
    about: Annotated[Count, about("event that it goes back on or accepts; 0 for none")]
    probe: Annotated[str, about("probe whose barrier it speaks about")]
    details: Annotated[
        dict[str, Any],
        about("changes with values before and after, risks that it moved; of a drift its onset"),
    ]
    open: Annotated[bool, about("whether nobody accepted it and it did not go back")]


class WatchDocument(DocumentPart, frozen=True, kw_only=True):
    """What a watch looks at, and all that it told."""

    schema: Annotated[Literal["buttress-watch/1"], about("buttress-watch/1")]
    version: Annotated[str, about("version of Buttress")]
    watch: Annotated[str, about("name of what is watched")]
    every: Annotated[Amount, about("seconds between checks")]
    false_alarms_per_year: Annotated[Amount, about("false alarms of behaviour that are accepted")]
    threshold: Annotated[
        float | None, about("value of a stream's statistic that raises an alarm; null without one")
    ]
    inventory: Annotated[list[WatchedAsset], about("what is watched")]
    events: Annotated[list[WatchEvent], about("events, oldest first")]
    limits: Annotated[list[str], about("what no event does not prove")]
