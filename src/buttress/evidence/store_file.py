"""The file of an evidence store: opened by one writer at a time, made whole or not at all."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from buttress.errors import InputError
from buttress.evidence.encryption import begin, master_key
from buttress.evidence.migrations import (
    FORMAT,
    check_format,
    migrate,
    stored_format,
    transaction,
)

_APPLICATION_ID: Final = 0x42555454  # "BUTT"
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS records (
  sequence INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  kind TEXT NOT NULL,
  payload BLOB NOT NULL,
  key TEXT,
  run TEXT NOT NULL,
  probe TEXT NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS records_key ON records (key) WHERE key IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS records_kind ON records (kind, run, probe)",
    """CREATE TABLE IF NOT EXISTS seal (
  id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL, head BLOB NOT NULL
)""",
)
_MAGIC: Final = b"SQLite format 3\0"


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Says in one line what SQLite found wrong.

    Raises:
        InputError: it found something.
    """
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the second from a damaged schema
        raise InputError(
            f"not usable ({error})", file=str(path), expected="an evidence store"
        ) from None


def check_magic(path: Path) -> None:
    """Leave alone a file that is something else, without even a lock beside it.

    Raises:
        InputError: it is something else.
    """
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise InputError("not an evidence store", file=str(path), expected="an evidence.db")


def connect(path: Path, read_only: bool) -> sqlite3.Connection:
    """A connection without transactions of its own.

    Raises:
        InputError: the file can't be opened.
    """
    place = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    with told(path):
        connection = sqlite3.connect(
            place, uri=True, check_same_thread=False, isolation_level=None, timeout=30
        )
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    return connection


def lock_for_writing(path: Path) -> IO[str]:
    """The lock beside the store, held as long as it is open; it holds the process's number.

    Raises:
        InputError: another process holds it.
    """
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


def roll_back_hot_journal(path: Path) -> None:
    """Let SQLite roll back a transaction whose journal lies beside the store.

    A connection that only reads can't, so one that writes is opened first, where nobody else
    writes. Where that can't be done, reading says what is wrong.
    """
    journal = Path(f"{path}-journal")
    if not journal.is_file() or not journal.stat().st_size:
        return
    with suppress(InputError, OSError):
        check_magic(path)
        with (
            lock_for_writing(path),
            closing(connect(path, read_only=False)) as connection,
            told(path),
        ):
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def prepare(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    """Check that it is a store that can be read; unless ``read_only``, make it one of today's form.

    Raises:
        InputError: something else, or of a newer format.
    """
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if found != _APPLICATION_ID and not (empty and not read_only):
        raise InputError("not an evidence store", file=str(path), expected="an evidence.db")
    check_format(stored_format(connection), str(path))
    if read_only:
        return
    connection.execute("PRAGMA synchronous = FULL")
    with transaction(connection):  # who is killed here leaves a whole store, or none
        for statement in _SCHEMA:
            connection.execute(statement)
        if empty:
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            if (master := master_key()) is not None:
                begin(connection, master)
    connection.execute("PRAGMA journal_mode = WAL")
    migrate(connection)
