"""Export and import of a store as JSON Lines or Parquet. Both keep the chain.

JSON Lines: one object a record with ``sequence``, ``hash``, ``kind``, ``payload`` and the number of
the ``format`` (1 where there is none). Parquet: the first four, the payload as text, and the fields
of trials as columns of their own for analysis; the format's number is in the file's metadata.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError, MissingExtraError
from buttress.evidence.base import RecordStore
from buttress.evidence.codec import check, decode
from buttress.evidence.migrations import FORMAT, check_format
from buttress.evidence.records import Record, Trial
from buttress.evidence.row import GENESIS, Row, link
from buttress.files.atomic import atomic_path

_BATCH: Final = 2000
_LINE_LIMIT: Final = 64 << 20
_TRIAL_FIELDS: Final = {
    field.name: {"str": "string", "float": "float64", "int": "int64", "bool": "bool"}.get(
        str(field.type), "string"
    )
    for field in fields(Trial)
    if field.name != "extra"
}
_METADATA: Final = b"buttress_evidence_format"


def export(store: RecordStore, to: Path) -> int:
    """Write all records to ``to``, a ``.jsonl`` or ``.parquet`` file; the number of records.

    The file appears when it is complete.

    Raises:
        InputError: another ending, not writable, or a store whose chain is broken.
        MissingExtraError: Parquet without pyarrow.
    """
    write = {".jsonl": _export_jsonl, ".parquet": _export_parquet}.get(to.suffix)
    if write is None:
        raise InputError(f"ending '{to.suffix}'", file=str(to), expected=".jsonl or .parquet")
    with store.snapshot(), atomic_path(to) as part:
        return write(_intact(store), part)


def _intact(store: RecordStore) -> Iterator[Row]:
    """Rows, as long as the chain holds: what is broken must not leave the store as if it held."""
    broken: dict[str, Any] = {
        "file": store.name,
        "expected": "a store that `buttress evidence verify` finds intact",
    }
    previous, number = GENESIS, 0
    for row in store.rows():
        number += 1
        if row.sequence != number or not row.follows(previous):
            raise InputError(f"record {row.sequence}: its hash does not fit", **broken)
        previous = row.hash
        yield row
    if store.sealed() != (number, previous):
        raise InputError(f"the seal does not fit record {number}", **broken)


def load(source: Path, store: RecordStore) -> int:
    """Append the records of an exported file to an empty store; the number of records.

    All or nothing: the chain is checked before anything is written.

    Raises:
        InputError: malformed, broken chain (names the record), or the store is not empty.
        MissingExtraError: Parquet without pyarrow.
    """
    if store.count:
        raise InputError(
            f"holds {store.count} records", file=store.name, expected="an empty or new store"
        )
    if not source.is_file():
        raise InputError("no such file", file=str(source), expected="an exported file")
    read = {".jsonl": _read_jsonl, ".parquet": _read_parquet}.get(source.suffix)
    if read is None:
        raise InputError(
            f"ending '{source.suffix}'", file=str(source), expected=".jsonl or .parquet"
        )
    for _ in _checked(read(source), source):
        pass
    records = _checked(read(source), source)
    total = 0
    while batch := list(islice(records, _BATCH)):
        store.append_encoded(batch)
        total += len(batch)
    return total


def _checked(
    rows: Iterator[tuple[int, bytes, str, bytes]], source: Path
) -> Iterator[tuple[str, Record, bytes]]:
    previous = GENESIS
    for number, (sequence, digest, kind, payload) in enumerate(rows, 1):
        where: dict[str, Any] = {"file": str(source), "line": number}
        if sequence != number:
            raise InputError(f"record {sequence} stands here", **where, expected=f"{number}")
        try:
            if link(previous, kind, payload) != digest:
                raise InputError(f"record {number}: its hash does not fit", **where)
            record = decode(kind, payload)
            check(record)
        except (InputError, ValueError) as error:
            problem = error.problem if isinstance(error, InputError) else str(error)
            raise InputError(problem, **where) from None
        previous = digest
        yield kind, record, payload


def _export_jsonl(rows: Iterator[Row], to: Path) -> int:
    count = 0
    with to.open("wb") as file:
        for row in rows:
            # The payload is spliced in as it is: its bytes are what the hash covers.
            file.write(
                b'{"sequence":%d,"hash":"%s","kind":%s,"payload":%s,"format":%d}\n'
                % (
                    row.sequence,
                    row.hash.hex().encode(),
                    orjson.dumps(row.kind),
                    row.payload,
                    FORMAT,
                )
            )
            count += 1
    return count


def _read_jsonl(source: Path) -> Iterator[tuple[int, bytes, str, bytes]]:
    with source.open("rb") as file:
        number = 0
        while line := file.readline(_LINE_LIMIT):
            number += 1
            try:
                record = orjson.loads(line)
                number_of_format = record.get("format", 1)
                if type(number_of_format) is not int:
                    raise TypeError("format is no number")
                check_format(number_of_format, str(source))
                payload = orjson.dumps(record["payload"], option=orjson.OPT_SORT_KEYS)
                row = _row(record["sequence"], record["hash"], record["kind"], payload)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise InputError(
                    f"not a record ({error})",
                    file=str(source),
                    line=number,
                    expected="an object with sequence, hash, kind and payload",
                ) from None
            yield row


def _row(sequence: Any, digest: Any, kind: Any, payload: bytes) -> tuple[int, bytes, str, bytes]:
    if type(sequence) is not int or not isinstance(kind, str) or not isinstance(digest, str):
        raise TypeError("sequence, hash or kind is not of its type")
    return sequence, bytes.fromhex(digest), kind, payload


def _schema() -> Any:
    import pyarrow as pa

    own = [
        ("sequence", pa.int64()), ("hash", pa.string()), ("kind", pa.string()),
        ("payload", pa.large_string()),
    ]  # fmt: skip
    kinds = {"string": pa.large_string(), "bool": pa.bool_()}
    trial = [
        (name, kinds[kind] if kind in kinds else getattr(pa, kind)())
        for name, kind in _TRIAL_FIELDS.items()
    ]
    return pa.schema(own + trial, metadata={_METADATA: str(FORMAT).encode()})


def _export_parquet(rows: Iterator[Row], to: Path) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("Parquet", "parquet") from None
    count = 0
    with pq.ParquetWriter(to, _schema(), compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(pa.Table.from_pylist(list(map(_flat, batch)), schema=_schema()))
            count += len(batch)
    return count


def _flat(row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {
        "sequence": row.sequence,
        "hash": row.hash.hex(),
        "kind": row.kind,
        "payload": row.payload.decode(),
    }
    return flat | orjson.loads(row.payload) if row.kind == "trial" else flat


def _read_parquet(source: Path) -> Iterator[tuple[int, bytes, str, bytes]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("Parquet", "parquet") from None
    columns = ["sequence", "hash", "kind", "payload"]
    try:
        with pq.ParquetFile(source) as file:
            metadata = file.schema_arrow.metadata or {}
            check_format(int(metadata.get(_METADATA, b"1")), str(source))
            for batch in file.iter_batches(_BATCH, columns=columns):
                rows = [
                    _row(row["sequence"], row["hash"], row["kind"], row["payload"].encode())
                    for row in batch.to_pylist()
                ]
                yield from rows
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        what = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"not usable ({what})",
            file=str(source),
            expected="a Parquet file that Buttress exported",
        ) from None
