"""A store in memory, which shares nothing with the one in SQLite but the protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from buttress.evidence.chain import columns
from buttress.evidence.codec import decode, encode, kind_of
from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.records import (
    Label,
    MonitoringEvent,
    Provenance,
    Record,
    Trial,
    Turn,
    WatchCheckpoint,
)
from buttress.evidence.row import GENESIS, Row, link


class MemoryStore:
    """See the module; implements ``evidence.base.RecordStore``."""

    name = "memory:"

    def __init__(self) -> None:
        self._rows: list[Row] = []

    @property
    def head(self) -> str:
        return self.sealed()[1].hex()

    @property
    def count(self) -> int:
        return len(self._rows)

    def append(self, records: Sequence[Record]) -> None:
        self.append_encoded([(kind_of(record), *encode(record)) for record in records])

    def append_encoded(self, encoded: Sequence[tuple[str, Record, bytes]]) -> None:
        for kind, record, payload in encoded:
            digest = link(self.sealed()[1], kind, payload)
            self._rows.append(Row(self.count + 1, digest, kind, payload, *columns(record)))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        yield

    def sealed(self) -> tuple[int, bytes]:
        return self.count, self._rows[-1].hash if self._rows else GENESIS

    def rows(self) -> Iterator[Row]:
        return iter(list(self._rows))

    def records(self) -> Iterator[tuple[int, str, Record]]:
        for row in self.rows():
            yield row.sequence, row.hash.hex(), decode(row.kind, row.payload)

    def trials(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Trial]:
        return self._of(Trial, run, probe)

    def turns(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Turn]:
        return self._of(Turn, run, probe)

    def findings(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Finding]:
        return self._of(Finding, run, probe)

    def inspections(self, *, run: str | None = None) -> Iterator[Inspection]:
        return self._of(Inspection, run, None)

    def labels(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Label]:
        return self._of(Label, run, probe)

    def provenance(self) -> Iterator[Provenance]:
        return self._of(Provenance, None, None)

    def events(self) -> Iterator[MonitoringEvent]:
        return self._of(MonitoringEvent, None, None)

    def checkpoints(self) -> Iterator[WatchCheckpoint]:
        return self._of(WatchCheckpoint, None, None)

    def answers_for(self, keys: Sequence[str]) -> list[Trial | None]:
        return [self._newest(Trial, key) for key in keys]

    def turn_for(self, key: str) -> Turn | None:
        return self._newest(Turn, key)

    def _of(self, record: type[Any], run: str | None, probe: str | None) -> Iterator[Any]:
        for _, _, one in self.records():
            fits = isinstance(one, record) and run in (None, one.run)
            if fits and (probe is None or one.probe == probe):
                yield one

    def _newest(self, record: type[Any], key: str) -> Any:
        return next(
            (one for one in reversed(list(self._of(record, None, None))) if one.key == key), None
        )
