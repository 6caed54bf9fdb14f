"""The evidence store: append-only SQLite, each append durable before it returns.

WAL with ``synchronous=FULL`` makes a commit survive a kill and a loss of power; many records in
one append share its cost. One process writes at a time, guarded by a lock file beside the store.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, TypeVar

from buttress.errors import InputError
from buttress.evidence.chain import GENESIS, Row, link
from buttress.evidence.codec import decode, encode, kind_of
from buttress.evidence.records import Finding, Inspection, Provenance, Record, Trial

FILE_NAME: Final = "evidence.db"
_APPLICATION_ID: Final = 0x42555454  # "BUTT"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
  sequence INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  kind TEXT NOT NULL,
  payload BLOB NOT NULL,
  key TEXT,
  run TEXT NOT NULL,
  probe TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS records_key ON records (key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_kind ON records (kind, run, probe);
CREATE TABLE IF NOT EXISTS seal (
  id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL, head BLOB NOT NULL
);
"""
_COLUMNS: Final = "sequence, hash, kind, payload, key, run, probe"
_Kind = TypeVar("_Kind", bound=Record)


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

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the store, creating it unless ``read_only``.

        Raises:
            InputError: not there, not an evidence store, or another process writes to it.
        """
        if read_only and not path.is_file():
            raise InputError("no such file", file=str(path), expected="an evidence store")
        lock = None
        try:
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = _lock(path)
            connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            _prepare(connection, path, read_only)
            return cls(path, connection, lock)
        except OSError as error:
            raise InputError(error.strerror or str(error), file=str(path)) from None
        except sqlite3.Error as error:
            raise InputError(
                f"not usable ({error})", file=str(path), expected="an evidence store"
            ) from None

    def append(self, records: Sequence[Record]) -> None:
        """Add records in this order, all or none; durable when this returns."""
        encoded = [(kind_of(record), encode(record), record) for record in records]
        with self._mutex:
            sequence, head = self._count, self._head
            rows: list[tuple[Any, ...]] = []
            for kind, payload, record in encoded:
                sequence += 1
                head = link(head, kind, payload)
                key = record.key if isinstance(record, Trial) else None
                probe = "" if isinstance(record, Provenance) else record.probe
                rows.append((sequence, head, kind, payload, key, record.run, probe))
            if not rows:
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(
                    f"INSERT INTO records ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
                )
                self._connection.execute(
                    "INSERT OR REPLACE INTO seal (id, count, head) VALUES (1, ?, ?)",
                    (sequence, head),
                )
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._count, self._head = sequence, head

    def sealed(self) -> tuple[int, bytes]:
        """Number of records and hash of the last, as written with the last append."""
        row = self._connection.execute("SELECT count, head FROM seal").fetchone()
        return (int(row[0]), bytes(row[1])) if row else (0, GENESIS)

    def rows(self, start: int = 0) -> Iterator[Row]:
        """Records as they lie there, in order, from sequence number ``start``."""
        for row in self._connection.execute(
            f"SELECT {_COLUMNS} FROM records WHERE sequence >= ? ORDER BY sequence", (start,)
        ):
            yield Row(row[0], _bytes(row[1]), str(row[2]), _bytes(row[3]), row[4], row[5], row[6])

    def records(self, start: int = 0) -> Iterator[tuple[int, str, Record]]:
        """Sequence number, hash in hex and record, in order, from ``start``."""
        for row in self.rows(start):
            yield row.sequence, row.hash.hex(), decode(row.kind, row.payload)

    def trials(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Trial]:
        """Trials in order; of one run or one probe where named."""
        return self._of(Trial, "trial", run, probe)

    def findings(self, *, run: str | None = None, probe: str | None = None) -> Iterator[Finding]:
        """Findings in order."""
        return self._of(Finding, "finding", run, probe)

    def inspections(self, *, run: str | None = None) -> Iterator[Inspection]:
        """Inspections in order."""
        return self._of(Inspection, "inspection", run, None)

    def provenance(self) -> Iterator[Provenance]:
        """Provenance of each run, oldest first."""
        return self._of(Provenance, "provenance", None, None)

    def answer_for(self, key: str) -> Trial | None:
        """The newest trial with that content address."""
        with self._mutex:
            row = self._connection.execute(
                "SELECT payload FROM records WHERE key = ? ORDER BY sequence DESC LIMIT 1", (key,)
            ).fetchone()
        if row is None:
            return None
        found = decode("trial", bytes(row[0]))
        assert isinstance(found, Trial)
        return found

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

    def _of(
        self, record: type[_Kind], kind: str, run: str | None, probe: str | None
    ) -> Iterator[_Kind]:
        query = "SELECT payload FROM records WHERE kind = ?"
        arguments = [kind]
        for column, value in (("run", run), ("probe", probe)):
            if value is not None:
                query += f" AND {column} = ?"
                arguments.append(value)
        for (payload,) in self._connection.execute(query + " ORDER BY sequence", arguments):
            found = decode(kind, bytes(payload))
            assert isinstance(found, record)
            yield found


def _bytes(value: object) -> bytes:
    """A column's value whatever its type: who tampers may store text where bytes were."""
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogatepass")


def _lock(path: Path) -> IO[str]:
    lock = Path(f"{path}.lock").open("a+", encoding="utf-8")  # noqa: SIM115 (held while open)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise InputError(
            f"process {owner} is writing to it", file=str(path), expected="one writer at a time"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _prepare(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if found != _APPLICATION_ID and not (empty and not read_only):
        raise InputError("not an evidence store", file=str(path), expected="an evidence.db")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_SCHEMA)
