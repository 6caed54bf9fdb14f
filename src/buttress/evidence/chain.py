"""The hash chain: each record's hash covers the one before it, so nothing changes unseen.

hash(n) = SHA-256(hash(n-1) || length(kind) || kind || payload), hash(0) = 32 zero bytes. Somebody
who can rewrite the whole store can also rewrite the chain and its head; only a head that was kept
elsewhere (in a printed or signed report) shows that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from buttress.errors import InputError
from buttress.evidence.base import RecordStore
from buttress.evidence.codec import check, decode
from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.records import (
    Erasure,
    Label,
    MonitoringEvent,
    Plan,
    Preference,
    Provenance,
    Record,
    Trial,
    Turn,
    UnknownRecord,
    WatchCheckpoint,
)
from buttress.evidence.row import GENESIS, Row


@dataclass(frozen=True, slots=True)
class Problem:
    """Something is wrong with the record of that sequence number."""

    sequence: int
    what: str


@dataclass(slots=True)
class ChainVerification:
    """Outcome of checking a store."""

    records: int = 0
    head: str = GENESIS.hex()
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def columns(record: Record) -> tuple[str | None, str, str]:
    """Key, run and probe: what is stored beside the payload to be searched."""
    if isinstance(record, UnknownRecord):
        key, run, probe = (record.fields.get(name) for name in ("key", "run", "probe"))
        return (
            key if isinstance(key, str) else None,
            run if isinstance(run, str) else "",
            probe if isinstance(probe, str) else "",
        )
    return (
        record.key if isinstance(record, Trial | Turn) else None,
        record.run,
        "" if isinstance(record, Provenance | Plan) else record.probe,
    )


def verify(store: RecordStore, head: str | None = None) -> ChainVerification:
    """Check every record of a store, and its head against ``head`` where one was kept.

    A changed record is named by its own number; checking goes on behind it, so several are found.
    Another process may go on writing meanwhile.
    """
    result = ChainVerification()
    with store.snapshot():
        previous, last = GENESIS, 0
        try:
            for row in store.rows():
                result.records += 1
                if row.sequence < 1:
                    what = f"{describe(row)}: a number that no record has"
                    result.problems.append(Problem(row.sequence, what))
                    continue
                result.problems += _gap(last + 1, row)
                if row.follows(previous):
                    result.problems += _columns(row)
                else:
                    result.problems.append(_broken(row, gap=row.sequence != last + 1))
                previous, last = row.hash, row.sequence
            result.head = previous.hex()
            result.problems += _seal(*store.sealed(), last, previous)
        except InputError as error:
            result.problems.append(Problem(last + 1, f"unreadable from here on: {error.problem}"))
    if head is not None and head.strip().lower() != result.head:
        result.problems.append(
            Problem(last, f"the head is {result.head}, not the one that was kept")
        )
    return result


def _gap(expected: int, row: Row) -> Iterator[Problem]:
    if row.sequence > expected:
        yield Problem(expected, f"{_names(expected, row.sequence - 1)} dropped")


def _seal(count: int, head: bytes, last: int, previous: bytes) -> Iterator[Problem]:
    """The seal repeats number and hash of the last record: it shows a tail that was cut off."""
    if count > last:
        yield Problem(last + 1, f"{_names(last + 1, count)} dropped")
    elif count < last:
        yield Problem(count + 1, f"{_names(count + 1, last)} added behind the sealed end")
    elif head != previous:
        yield Problem(count, "the sealed head is not the last record's hash")


def _names(first: int, last: int) -> str:
    return f"record {last}" if first == last else f"records {first} to {last}"


def _broken(row: Row, *, gap: bool) -> Problem:
    what = "follows what was dropped" if gap else "changed, inserted or moved"
    return Problem(row.sequence, f"{describe(row)}: {what}; its hash does not fit")


def _columns(row: Row) -> Iterator[Problem]:
    """The index columns repeat what the payload says; queries trust them."""
    try:
        record = decode(row.kind, row.payload)
        check(record)
    except InputError as error:
        yield Problem(row.sequence, error.problem)
        return
    if (row.key, row.run, row.probe) != columns(record):
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
        case Turn():
            return f"turn of {record.probe}/{record.item}"
        case Label():
            return f"label of {record.probe}/{record.item}"
        case Preference():
            return f"preference of {record.labeller} on {record.item}"
        case Finding():
            return f"finding {record.rule} at {record.location}"
        case Inspection():
            return f"inspection {record.probe} of {record.asset}"
        case Provenance():
            return f"provenance of run {record.run}"
        case Plan():
            return f"plan of run {record.run}"
        case Erasure():
            return f"erasure of {record.records} records, by {record.reason}"
        case MonitoringEvent():
            return f"event {record.number} of a watch"
        case WatchCheckpoint():
            return f"checkpoint of a watch: {record.subject}"
        case UnknownRecord(kind=kind) if kind.startswith("encrypted-"):
            return kind.replace("-", " ", 1)
        case UnknownRecord():
            return f"{record.kind}, a kind that this version doesn't know"
