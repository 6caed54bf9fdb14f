"""What a stage of the pipeline is.

A stage is made by a factory that an entry point of the group ``buttress.data_stages`` names; the
factory's keyword arguments are the stage's options. It is pickled to worker processes, so it keeps
its options and loads what is heavy when it is first used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from buttress.data.edits import Edit
from buttress.data.records import Record


@dataclass(frozen=True, slots=True)
class Removal:
    """A record is taken out: by which rule of the stage, why, and what it repeats."""

    rule: str
    reason: str
    duplicate_of: str = ""


@dataclass(frozen=True, slots=True)
class RecordChange:
    """Texts of a record are edited."""

    edits: tuple[Edit, ...]


Outcome = Removal | RecordChange | None


@runtime_checkable
class RecordStage(Protocol):
    """Judges each record by itself."""

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """The outcome of each record, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What a corpus stage says of record ``index`` of shard ``shard``."""

    shard: int
    index: int
    outcome: Removal | RecordChange


@dataclass(slots=True)
class Decisions:
    """All decisions of a corpus stage; what it did not look at is in ``notes``."""

    decisions: Iterator[Decision]
    notes: list[str] = field(default_factory=list)


@runtime_checkable
class CorpusStage(Protocol):
    """Needs the whole corpus: notes features of each shard, then decides.

    What it decides depends on the records' contents alone, not on their order or on shards.
    """

    def observe(self, records: Sequence[Record], folder: Path) -> None:
        """Write features of a shard's records into its own ``folder``."""
        ...

    def decide(self, folders: Sequence[Path]) -> Decisions:
        """Decide from the folders of all shards, in order."""
        ...


Stage = RecordStage | CorpusStage
