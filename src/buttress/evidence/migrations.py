"""Formats of the evidence store, and how a store of an older format becomes one of the newest.

| format | what is new |
| --- | --- |
| 1 | the first; its stores carry no number |
| 2 | the store carries its number; records may hold fields and kinds that the reader doesn't know |

A store is migrated when it is opened for writing, in one transaction. Stored payloads are never
changed, since the hash chain covers them: a migration changes tables and columns only. A store of
an older format that is opened for reading stays as it is, so every format must remain readable.
To add a format: raise ``FORMAT``, add the step to ``STEPS``, a line to this table, and a store of
the old format to ``tests/evidence/formats``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from buttress.errors import InputError

FORMAT: Final = 2


def _carry_the_number(connection: sqlite3.Connection) -> None:
    """1 to 2: nothing but the number, which ``migrate`` writes."""
    del connection


STEPS: Final[Mapping[int, Callable[[sqlite3.Connection], None]]] = {1: _carry_the_number}


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """What is done inside is done whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def stored_format(connection: sqlite3.Connection) -> int:
    """Format of the store; 1 where it carries no number."""
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number or 1


def check_format(number: int, file: str) -> None:
    """Refuse what a newer version made.

    Raises:
        InputError: the format is newer than ``FORMAT``.
    """
    if number > FORMAT:
        raise InputError(
            f"made by a newer version of Buttress (evidence format {number})",
            file=file,
            expected=f"format {FORMAT} or older, or a newer Buttress",
        )


def migrate(
    connection: sqlite3.Connection,
    *,
    newest: int = FORMAT,
    steps: Mapping[int, Callable[[sqlite3.Connection], None]] = STEPS,
) -> None:
    """Bring the store to the newest format, all steps or none."""
    number = stored_format(connection)
    if number == newest:
        return
    with transaction(connection):
        while number < newest:
            steps[number](connection)
            number += 1
        connection.execute(f"PRAGMA user_version = {number}")
