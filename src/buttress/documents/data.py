"""The document of a run over training data, ``buttress-data/1``; ``workflows`` builds it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, UnsetType

from buttress.documents.fields import Count, DocumentPart, Share, UtcTime, about


class RecordCounts(DocumentPart, frozen=True, kw_only=True, rename={"in_": "in"}):
    """Records of the run: ``in`` is the sum of kept, removed and unreadable."""

    in_: Annotated[Count, about("records of the inputs, readable or not")]
    kept: Annotated[Count, about("records that are kept")]
    removed: Annotated[Count, about("records that a stage removed")]
    changed: Annotated[Count, about("kept records that a stage changed")]
    unreadable: Annotated[Count, about("records that could not be read, in unreadable.jsonl")]


class RemovalExample(DocumentPart, frozen=True, kw_only=True):
    """A removed record, without its text."""

    id: Annotated[str, about("id of the record")]
    rule: Annotated[str, about("rule of the stage")]
    reason: Annotated[str, about("why it was removed")]
    duplicate_of: Annotated[str | None, about("id of the record that it repeats, if it does")]


class DataStage(DocumentPart, frozen=True, kw_only=True):
    """A stage, in the order in which they ran."""

    name: Annotated[str, about("name")]
    options: Annotated[dict[str, Any], about("options that were given")]
    max_removed_share: Annotated[Share, about("share of a source's records above which it alarms")]
    seen: Annotated[Count, about("records that it saw")]
    removed: Annotated[Count, about("records that it removed")]
    changed: Annotated[Count, about("records that it changed")]
    rules: Annotated[dict[str, Count], about("removed records by rule")]
    types: Annotated[dict[str, Count], about("changed stretches by type")]
    notes: Annotated[list[str], about("what it did not look at")]
    examples: Annotated[list[RemovalExample], about("some removed records")]


class DataSource(DocumentPart, frozen=True, kw_only=True):
    """A source: the value of the source field, or a file."""

    source: Annotated[str, about("name")]
    records: Annotated[Count, about("readable records")]
    kept: Annotated[Count, about("records that are kept")]
    removed: Annotated[dict[str, Count], about("removed records by stage")]
    harmful: Annotated[Share | None, about("share that the stage harm removed; null without it")]


class DataAlarm(DocumentPart, frozen=True, kw_only=True):
    """A rule that was broken."""

    rule: Annotated[
        Literal["max-removed-share", "source-refused"],
        about("max-removed-share: a stage removed too much; source-refused: too much harm"),
    ]
    stage: Annotated[str, about("stage")]
    source: Annotated[str, about("source")]
    share: Annotated[Share, about("share of the source's records that the stage saw")]
    limit: Annotated[Share, about("largest share allowed")]


class DataDocument(DocumentPart, frozen=True, kw_only=True):
    """What cleaning did to a corpus; of texts it holds only what reasons quote."""

    schema: Annotated[Literal["buttress-data/1"], about("buttress-data/1")]
    version: Annotated[str, about("version of Buttress")]
    finished: Annotated[UtcTime, about("end of the run")]
    dry_run: Annotated[bool, about("whether nothing but this was written")]
    inputs: Annotated[list[str], about("inputs as they were named")]
    field: Annotated[str, about("field with the text; empty for the known ones")]
    source_field: Annotated[str, about("field with the source; empty for the known ones")]
    seed: Annotated[int, about("seed of samples")]
    records: Annotated[RecordCounts, about("records")]
    unread_fields: Annotated[
        dict[str, Count], about("fields with texts that no stage reads, and in how many records")
    ]
    unread_files: (
        Annotated[
            dict[str, Count],
            about(
                "files in the folders that were not read, by suffix, or name where they have none"
            ),
        ]
        | UnsetType
    ) = UNSET
    digest: Annotated[str, about("digest of what is kept, whatever its order: 64 digits")]
    stages: Annotated[list[DataStage], about("stages in order")]
    sources: Annotated[list[DataSource], about("sources, by name")]
    alarms: Annotated[list[DataAlarm], about("rules that were broken")]
    restored: Annotated[Count, about("records that were put back or undone since")]
