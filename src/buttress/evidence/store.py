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
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, TypeVar

from buttress.errors import InputError
from buttress.evidence.chain import GENESIS, Row, columns, link
from buttress.evidence.codec import decode, encode, kind_of
from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.migrations import FORMAT, check_format, migrate, stored_format
from buttress.evidence.records import KnownRecord, Label, Plan, Provenance, Record, Trial, Turn

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
_MAGIC: Final = b"SQLite format 3\0"
_COLUMNS: Final = "sequence, hash, kind, payload, key, run, probe"
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

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the store, creating it unless ``read_only``.

        Raises:
            InputError: not there, not an evidence store, of a newer format, or another process
                writes to it.
        """
        if read_only and not path.is_file():
            raise InputError("no such file", file=str(path), expected="an evidence store")
        lock = connection = None
        try:
            _check_magic(path)
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = _lock(path)
            connection = _connect(path, read_only)
            with _told(path):
                _prepare(connection, path, read_only)
                return cls(path, connection, lock)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if lock is not None:
                lock.close()
            if isinstance(error, OSError):
                raise InputError(error.strerror or str(error), file=str(path)) from None
            raise

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def format(self) -> int:
        """Number of its format; see ``migrations``."""
        with _told(self.path):
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
        with self._mutex, _told(self.path):
            sequence, head = self._count, self._head
            rows: list[tuple[Any, ...]] = []
            for kind, record, payload in encoded:
                sequence += 1
                head = link(head, kind, payload)
                rows.append((sequence, head, kind, payload, *columns(record)))
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
                if self._connection.in_transaction:  # a full disk has rolled back already
                    self._connection.execute("ROLLBACK")
                raise
            self._count, self._head = sequence, head

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads inside see one state, whatever another process appends meanwhile."""
        with self._mutex, _told(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    def sealed(self) -> tuple[int, bytes]:
        """Number of records and hash of the last, as written with the last append."""
        with _told(self.path):
            row = self._connection.execute("SELECT count, head FROM seal").fetchone()
        if row is None:
            return 0, GENESIS
        return row[0] if isinstance(row[0], int) else -1, _bytes(row[1])

    def rows(self) -> Iterator[Row]:
        """Records as they lie there, in the order of their numbers."""
        with _told(self.path):
            for row in self._connection.execute(
                f"SELECT {_COLUMNS} FROM records ORDER BY sequence"
            ):
                yield Row(
                    row[0], _bytes(row[1]), str(row[2]), _bytes(row[3]), row[4], row[5], row[6]
                )

    def records(self) -> Iterator[tuple[int, str, Record]]:
        """Sequence number, hash in hex and record, in order."""
        for row in self.rows():
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

    def answer_for(self, key: str) -> Trial | None:
        """The newest trial with that content address."""
        return self._newest(Trial, "trial", key)

    def turn_for(self, key: str) -> Turn | None:
        """The newest turn with that content address."""
        return self._newest(Turn, "turn", key)

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

    def _newest(self, record: type[_Kind], kind: str, key: str) -> _Kind | None:
        query = "SELECT payload FROM records WHERE key = ? AND kind = ? ORDER BY sequence DESC"
        with self._mutex, _told(self.path):
            row = self._connection.execute(query + " LIMIT 1", (key, kind)).fetchone()
        if row is None:
            return None
        found = decode(kind, _bytes(row[0]))
        assert isinstance(found, record)
        return found

    def _of(
        self, record: type[_Kind], kind: str, run: str | None, probe: str | None
    ) -> Iterator[_Kind]:
        query = "SELECT payload FROM records WHERE kind = ?"
        arguments = [kind]
        for column, value in (("run", run), ("probe", probe)):
            if value is not None:
                query += f" AND {column} = ?"
                arguments.append(value)
        with _told(self.path):
            for (payload,) in self._connection.execute(query + " ORDER BY sequence", arguments):
                found = decode(kind, _bytes(payload))
                assert isinstance(found, record)
                yield found


def _bytes(value: object) -> bytes:
    """A column's value whatever its type: who tampers may store text where bytes were."""
    if isinstance(value, bytes):
        return value
    return str(value).encode("utf-8", "surrogateescape")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Says in one line what SQLite found wrong."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the second from a damaged schema
        raise InputError(
            f"not usable ({error})", file=str(path), expected="an evidence store"
        ) from None


def _check_magic(path: Path) -> None:
    """Leave alone a file that is something else, without even a lock beside it."""
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise InputError("not an evidence store", file=str(path), expected="an evidence.db")


def _connect(path: Path, read_only: bool) -> sqlite3.Connection:
    place = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    with _told(path):
        connection = sqlite3.connect(
            place, uri=True, check_same_thread=False, isolation_level=None, timeout=30
        )
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    return connection


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
    check_format(stored_format(connection), str(path))
    if read_only:
        return
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_SCHEMA)
    if empty:
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    migrate(connection)
