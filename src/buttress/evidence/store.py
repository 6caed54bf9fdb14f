"""The evidence store: append-only SQLite, each append durable before it returns.

WAL with ``synchronous=FULL`` makes a commit survive a kill and a loss of power; many records in
one append share its cost. One process writes at a time, guarded by a lock file beside the store.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, TypeVar

from buttress.errors import InputError
from buttress.evidence.chain import columns
from buttress.evidence.codec import decode, encode, kind_of
from buttress.evidence.encryption import (
    PREFIX,
    VARIABLE,
    EvidenceCipher,
    erased,
    is_encrypted,
)
from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.migrations import (
    stored_format,
    transaction,
)
from buttress.evidence.records import (
    KnownRecord,
    Label,
    MonitoringEvent,
    Plan,
    Provenance,
    Record,
    Trial,
    Turn,
    WatchCheckpoint,
)
from buttress.evidence.row import GENESIS, Row, link
from buttress.evidence.store_file import (
    check_magic,
    connect,
    lock_for_writing,
    prepare,
    roll_back_hot_journal,
    told,
)

FILE_NAME: Final = "evidence.db"
_COLUMNS: Final = "sequence, hash, kind, payload, key, run, probe"
# Rows in one statement. Each statement gives the interpreter's lock away and waits for it anew, so
# that a statement a row waits milliseconds for each while the event loop computes.
_ROWS: Final = 256
_Kind = TypeVar("_Kind", bound=KnownRecord)


def resolve(path: Path) -> Path:
    """The store's file, where ``path`` is the file or the folder that holds it."""
    return path / FILE_NAME if path.is_dir() else path


class EvidenceStore:
    """Records in the order in which they were appended. Safe to use from several threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: IO[str] | None) -> None:
        self.path = path
        self._connection = connection
        self._lock_file = lock
        self._mutex = threading.RLock()
        self._count, self._head = self.sealed()
        self._encrypted = is_encrypted(connection)
        self._cipher = EvidenceCipher.open(connection, str(path)) if self._encrypted else None
        if self._encrypted and self._cipher is None and lock is not None:
            raise _locked(path)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the store, creating it unless ``read_only``.

        Raises:
            InputError: not there, not an evidence store, of a newer format, or another process
                writes to it.
        """
        if read_only and not path.is_file():
            raise InputError("no such file", file=str(path), expected="an evidence store")
        if read_only:
            roll_back_hot_journal(path)
        lock = connection = None
        try:
            check_magic(path)
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = lock_for_writing(path)
            connection = connect(path, read_only)
            with told(path):
                prepare(connection, path, read_only)
                return cls(path, connection, lock)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if lock is not None:
                lock.close()
            if isinstance(error, FileExistsError | NotADirectoryError):
                raise InputError(
                    "a file stands in the way", file=str(path.parent), expected="a folder"
                ) from None
            if isinstance(error, OSError):
                raise InputError(error.strerror or str(error), file=str(path)) from None
            raise

    @property
    def encrypted(self) -> bool:
        """Whether its records are encrypted."""
        return self._encrypted

    @property
    def cipher(self) -> EvidenceCipher:
        """What decrypts its records.

        Raises:
            InputError: the store is not encrypted, or the key is not set.
        """
        if not self._encrypted:
            raise InputError(
                "not encrypted", file=str(self.path), expected="`buttress evidence encrypt` first"
            )
        if self._cipher is None:
            raise _locked(self.path)
        return self._cipher

    @contextmanager
    def changing(self) -> Iterator[EvidenceCipher]:
        """The cipher within a transaction, for changes of its keys."""
        with self._mutex, told(self.path):
            cipher = self.cipher
            with transaction(self._connection):
                yield cipher
            # What the log still holds of the pages before is gone with it.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def format(self) -> int:
        """Number of its format; see ``migrations``."""
        with told(self.path):
            return stored_format(self._connection)

    def append(self, records: Sequence[Record]) -> None:
        """Add records in this order, all or none; durable when this returns.

        Raises:
            InputError: a record that can't be stored, or the file can't be written.
        """
        self.append_encoded([(kind_of(record), *encode(record)) for record in records])

    def append_encoded(self, encoded: Sequence[tuple[str, Record, bytes]]) -> None:
        """As ``append``, for kinds and records with the bytes in which they were once stored."""
        if not encoded:
            return
        with self._mutex, told(self.path):
            sequence, head = self._count, self._head
            rows: list[tuple[Any, ...]] = []
            with transaction(self._connection):
                stored = self._cipher.sealed(encoded) if self._cipher else encoded
                for kind, record, payload in stored:
                    sequence += 1
                    head = link(head, kind, payload)
                    rows.append((sequence, head, kind, payload, *columns(record)))
                for start in range(0, len(rows), _ROWS):
                    some = rows[start : start + _ROWS]
                    places = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(some))
                    self._connection.execute(
                        f"INSERT INTO records ({_COLUMNS}) VALUES {places}",
                        [value for row in some for value in row],
                    )
                self._connection.execute(
                    "INSERT OR REPLACE INTO seal (id, count, head) VALUES (1, ?, ?)",
                    (sequence, head),
                )
            self._count, self._head = sequence, head

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads inside see one state, whatever another process appends meanwhile."""
        with self._mutex, told(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    def sealed(self) -> tuple[int, bytes]:
        """Number of records and hash of the last, as written with the last append."""
        with told(self.path):
            row = self._connection.execute("SELECT count, head FROM seal").fetchone()
        if row is None:
            return 0, GENESIS
        return row[0] if isinstance(row[0], int) else -1, _bytes(row[1])

    def rows(self) -> Iterator[Row]:
        """Records as they lie there, in the order of their numbers."""
        with told(self.path):
            for row in self._connection.execute(
                f"SELECT {_COLUMNS} FROM records ORDER BY sequence"
            ):
                yield Row(
                    row[0], _bytes(row[1]), str(row[2]), _bytes(row[3]), row[4], row[5], row[6]
                )

    def plain_rows(self) -> Iterator[Row]:
        """As ``rows``, decrypted where that can be done; what was erased stays as it lies there."""
        for row in self.rows():
            payload = self._plain(row.kind, row.payload) if self._cipher else None
            if payload is None:
                yield row
            else:
                yield replace(row, kind=row.kind.removeprefix(PREFIX), payload=payload)

    def _plain(self, kind: str, payload: bytes) -> bytes | None:
        """The payload of a record that may be encrypted; None where it was erased."""
        return self.cipher.opened(kind, payload) if kind.startswith(PREFIX) else payload

    def erased_count(self) -> int:
        """Records whose key was erased; needs no key."""
        if not self._encrypted:
            return 0
        return sum(
            row.kind.startswith(PREFIX) and erased(self._connection, row.payload)
            for row in list(self.rows())
        )

    def records(self) -> Iterator[tuple[int, str, Record]]:
        """Sequence number, hash in hex and record, in order; decrypted where the key is set."""
        for row in self.plain_rows():
            yield row.sequence, row.hash.hex(), decode(row.kind, row.payload)

    def trials(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Trial]:
        """Trials in order; of one run or one probe where named."""
        return self._of(Trial, "trial", run, probe)

    def turns(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Turn]:
        """Turns in order."""
        return self._of(Turn, "turn", run, probe)

    def findings(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Finding]:
        """Findings in order."""
        return self._of(Finding, "finding", run, probe)

    def inspections(self, *, run: str | None = None) -> Iterator[Inspection]:
        """Inspections in order."""
        return self._of(Inspection, "inspection", run, None)

    def labels(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Label]:
        """Labels in order."""
        return self._of(Label, "label", run, probe)

    def provenance(self) -> Iterator[Provenance]:
        """Provenance of each run, oldest first."""
        return self._of(Provenance, "provenance", None, None)

    def plans(self, *, run: str | None = None) -> Iterator[Plan]:
        """Plans in order."""
        return self._of(Plan, "plan", run, None)

    def events(self) -> Iterator[MonitoringEvent]:
        """Events in order."""
        return self._of(MonitoringEvent, "event", None, None)

    def checkpoints(self) -> Iterator[WatchCheckpoint]:
        """Checkpoints in order."""
        return self._of(WatchCheckpoint, "checkpoint", None, None)

    def answers_for(self, keys: Sequence[str]) -> list[Trial | None]:
        """The newest trial with each of the content addresses, None where there is none."""
        return self._newest(Trial, "trial", keys)

    def turn_for(self, key: str) -> Turn | None:
        """The newest turn with that content address."""
        return self._newest(Turn, "turn", (key,))[0]

    @property
    def head(self) -> str:
        """Hash of the last record, in hex."""
        return self._head.hex()

    @property
    def count(self) -> int:
        """Number of records."""
        return self._count

    def close(self) -> None:
        """Close the file and let other processes write."""
        if self._lock_file is not None:
            # A store at rest is one plain file, readable from read-only media too. Not where
            # somebody still reads; then the last writer to close will do it.
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _newest(self, record: type[_Kind], kind: str, keys: Sequence[str]) -> list[_Kind | None]:
        stored = PREFIX + kind if self._encrypted else kind
        sought = [self.cipher.digest(key) for key in keys] if self._encrypted else keys
        payloads: dict[str, bytes | None] = {}
        distinct = list(dict.fromkeys(sought))
        with self._mutex, told(self.path):
            for start in range(0, len(distinct), _ROWS):
                some = distinct[start : start + _ROWS]
                # SQLite takes the payload from the row with the maximum. The plus keeps it from
                # its index of kinds, in which it would look through all trials.
                for key, payload, _ in self._connection.execute(
                    "SELECT key, payload, MAX(sequence) FROM records WHERE +kind = ? AND key IN "
                    f"({', '.join('?' * len(some))}) GROUP BY key",
                    (stored, *some),
                ).fetchall():
                    payloads[key] = self._plain(stored, _bytes(payload))
        return [
            None if (payload := payloads.get(key)) is None else _decoded(record, kind, payload)
            for key in sought
        ]

    def _of(
        self, record: type[_Kind], kind: str, run: str | None, probe: str | None
    ) -> Iterator[_Kind]:
        stored = PREFIX + kind if self._encrypted else kind
        if self._encrypted:
            _ = self.cipher  # says that the key is missing
        query = "SELECT payload FROM records WHERE kind = ?"
        arguments = [stored]
        for column, value in (("run", run), ("probe", probe)):
            if value is not None:
                query += f" AND {column} = ?"
                arguments.append(value)
        with told(self.path):
            for (payload,) in self._connection.execute(query + " ORDER BY sequence", arguments):
                plain = self._plain(stored, _bytes(payload))
                if plain is None:  # erased
                    continue
                yield _decoded(record, kind, plain)


def _decoded(record: type[_Kind], kind: str, payload: bytes) -> _Kind:
    found = decode(kind, payload)
    assert isinstance(found, record)
    return found


def _locked(path: Path) -> InputError:
    return InputError("encrypted", file=str(path), expected=f"its key in {VARIABLE}")


def _bytes(value: object) -> bytes:
    """A column's value whatever its type: who tampers may store text where bytes were."""
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogateescape")
