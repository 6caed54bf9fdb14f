"""What a store of evidence does, whatever keeps it: a file, or a database server.

``store.EvidenceStore`` keeps it in one SQLite file. An implementation on another database provides
these methods; the hash chain, its verification, exports and all readers rest on them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.records import (
    Label,
    MonitoringEvent,
    Plan,
    Provenance,
    Record,
    Trial,
    Turn,
    WatchCheckpoint,
)
from buttress.evidence.row import Row


class RecordStore(Protocol):
    """Records in the order in which they were appended; its methods are called from threads."""

    @property
    def name(self) -> str:
        """Where it is, for messages: a path, or a URL without its password."""
        ...

    @property
    def head(self) -> str:
        """Hash of the last record, in hex."""
        ...

    @property
    def count(self) -> int:
        """Number of records."""
        ...

    def append(self, records: Sequence[Record]) -> None:
        """Add records in this order, all or none; durable when this returns.

        Raises:
            InputError: a record that can't be stored, or the store can't be written.
        """
        ...

    def append_encoded(self, encoded: Sequence[tuple[str, Record, bytes]]) -> None:
        """As ``append``, for (kind, record, payload), with the bytes that were once stored."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Reads inside see one state, whatever another process appends meanwhile."""
        ...

    def sealed(self) -> tuple[int, bytes]:
        """Number of records and hash of the last, as written with the last append."""
        ...

    def rows(self) -> Iterator[Row]:
        """Records as they lie there, in the order of their numbers."""
        ...

    def records(self) -> Iterator[tuple[int, str, Record]]:
        """Sequence number, hash in hex and record, in order."""
        ...

    def trials(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Trial]:
        """Trials in order; of one run or one probe where named."""
        ...

    def turns(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Turn]:
        """Turns in order."""
        ...

    def findings(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Finding]:
        """Findings in order."""
        ...

    def inspections(self, *, run: str | None = None) -> Iterator[Inspection]:
        """Inspections in order."""
        ...

    def labels(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Label]:
        """Labels in order."""
        ...

    def plans(self, *, run: str | None = None) -> Iterator[Plan]:
        """Plans in order."""
        ...

    def provenance(self) -> Iterator[Provenance]:
        """Provenance of each run, oldest first."""
        ...

    def events(self) -> Iterator[MonitoringEvent]:
        """Events of a watch, in order."""
        ...

    def checkpoints(self) -> Iterator[WatchCheckpoint]:
        """Checkpoints of a watch, in order."""
        ...

    def answers_for(self, keys: Sequence[str]) -> list[Trial | None]:
        """The newest trial with each of the content addresses, None where there is none."""
        ...

    def turn_for(self, key: str) -> Turn | None:
        """The newest turn with that content address."""
        ...
