"""The hash chain: each record's hash covers the one before it, so nothing changes unseen.

hash(n) = SHA-256(hash(n-1) || length(kind) || kind || payload), hash(0) = 32 zero bytes. Somebody
who can rewrite the whole store can also rewrite the chain and its head; only a head that was kept
elsewhere (in a printed or signed report) shows that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from buttress.errors import InputError
from buttress.evidence.codec import decode
from buttress.evidence.records import Finding, Inspection, Provenance, Trial

if TYPE_CHECKING:
    from buttress.evidence.store import EvidenceStore

GENESIS: Final = bytes(32)


def link(previous: bytes, kind: str, payload: bytes) -> bytes:
    """Hash of a record after the one whose hash is ``previous`` (32 bytes)."""
    name = kind.encode()
    return hashlib.sha256(previous + bytes([len(name)]) + name + payload).digest()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something is wrong with the record of that sequence number."""

    sequence: int
    what: str


@dataclass(slots=True)
class Verification:
    """Outcome of checking a store."""

    records: int = 0
    head: str = GENESIS.hex()
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Row:
    """A stored record as it lies there."""

    sequence: int
    hash: bytes
    kind: str
    payload: bytes
    key: str | None
    run: str
    probe: str


def verify(store: EvidenceStore, head: str | None = None) -> Verification:
    """Check every record of a store, and its head against ``head`` where one was kept.

    A changed record is named by its own number; checking goes on behind it, so several are found.
    """
    result = Verification()
    previous, expected = GENESIS, 1
    for row in store.rows():
        result.problems += _gap(expected, row)
        if row.sequence >= expected:
            wanted = link(previous, row.kind, row.payload)
            if row.hash != wanted:
                result.problems.append(_broken(row, gap=row.sequence != expected))
            else:
                result.problems += _columns(row)
        expected = max(expected, row.sequence) + 1
        previous = row.hash
        result.records += 1
    count, stored = store.sealed()
    result.head = previous.hex()
    if count != expected - 1:
        first, last = sorted((count, expected - 1))
        which = "dropped" if count > expected - 1 else "added behind the sealed end"
        names = f"record {last}" if last == first + 1 else f"records {first + 1} to {last}"
        result.problems.append(Problem(first + 1, f"{names} {which}"))
    elif stored != previous:
        result.problems.append(Problem(count, "the sealed head is not the last record's hash"))
    if head is not None and head.lower() != result.head:
        result.problems.append(
            Problem(count, f"the head is {result.head}, not the one that was kept")
        )
    return result


def _gap(expected: int, row: Row) -> Iterator[Problem]:
    if row.sequence > expected:
        last = row.sequence - 1
        names = f"record {last}" if last == expected else f"records {expected} to {last}"
        yield Problem(expected, f"{names} dropped")
    elif row.sequence < expected:
        yield Problem(row.sequence, "the number comes twice or out of order")


def _broken(row: Row, *, gap: bool) -> Problem:
    what = "follows what was dropped" if gap else "changed, inserted or moved"
    return Problem(row.sequence, f"{describe(row)}: {what}; its hash does not fit")


def _columns(row: Row) -> Iterator[Problem]:
    """The index columns repeat what the payload says; queries trust them."""
    try:
        record = decode(row.kind, row.payload)
    except InputError as error:
        yield Problem(row.sequence, str(error))
        return
    wanted = (
        record.key if isinstance(record, Trial) else None,
        record.run,
        "" if isinstance(record, Provenance) else record.probe,
    )
    if (row.key, row.run, row.probe) != wanted:
        yield Problem(row.sequence, f"{describe(row)}: its index columns were changed")


def describe(row: Row) -> str:
    """A record in a few words, for messages."""
    try:
        record = decode(row.kind, row.payload)
    except InputError:
        return f"unreadable {row.kind}"
    match record:
        case Trial():
            return f"trial {record.probe}/{record.item}"
        case Finding():
            return f"finding {record.rule} at {record.location}"
        case Inspection():
            return f"inspection {record.probe} of {record.asset}"
        case Provenance():
            return f"provenance of run {record.run}"
