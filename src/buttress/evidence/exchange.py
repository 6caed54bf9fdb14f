"""Export and import of a store as JSON Lines or Parquet. Both keep the chain.

JSON Lines: one object a record with ``sequence``, ``hash``, ``kind`` and ``payload``. Parquet: the
same four, the payload as text, and the fields of trials as columns of their own for analysis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError, MissingExtraError
from buttress.evidence.chain import GENESIS, Row, link
from buttress.evidence.codec import decode
from buttress.evidence.records import Record, Trial
from buttress.evidence.store import EvidenceStore

_BATCH: Final = 2000
_LINE_LIMIT: Final = 64 << 20
_TRIAL_FIELDS: Final = {
    field.name: {"str": "string", "float": "float64", "int": "int64", "bool": "bool"}.get(
        str(field.type), "string"
    )
    for field in fields(Trial)
}


def export(store: EvidenceStore, to: Path) -> int:
    """Write all records to ``to``, a ``.jsonl`` or ``.parquet`` file; the number of records.

    Raises:
        InputError: another ending.
        MissingExtraError: Parquet without pyarrow.
    """
    match to.suffix:
        case ".jsonl":
            return _export_jsonl(store, to)
        case ".parquet":
            return _export_parquet(store, to)
        case other:
            raise InputError(f"ending '{other}'", file=str(to), expected=".jsonl or .parquet")


def load(source: Path, store: EvidenceStore) -> int:
    """Append the records of an exported file to an empty store; the number of records.

    All or nothing: the chain is checked before anything is written.

    Raises:
        InputError: malformed, broken chain (names the record), or the store is not empty.
        MissingExtraError: Parquet without pyarrow.
    """
    if store.count:
        raise InputError(
            f"holds {store.count} records", file=str(store.path), expected="an empty or new store"
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
        store.append(batch)
        total += len(batch)
    return total


def _checked(rows: Iterator[tuple[int, bytes, str, bytes]], source: Path) -> Iterator[Record]:
    previous = GENESIS
    for number, (sequence, digest, kind, payload) in enumerate(rows, 1):
        where: dict[str, Any] = {"file": str(source), "line": number}
        if sequence != number:
            raise InputError(f"record {sequence} stands here", **where, expected=f"{number}")
        if link(previous, kind, payload) != digest:
            raise InputError(f"record {number}: its hash does not fit", **where)
        previous = digest
        try:
            yield decode(kind, payload)
        except InputError as error:
            raise InputError(error.problem, **where) from None


def _export_jsonl(store: EvidenceStore, to: Path) -> int:
    count = 0
    with to.open("wb") as file:
        for row in store.rows():
            # The payload is spliced in as it is: its bytes are what the hash covers.
            file.write(
                b'{"sequence":%d,"hash":"%s","kind":"%s","payload":%s}\n'
                % (row.sequence, row.hash.hex().encode(), row.kind.encode(), row.payload)
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
                kind = record["kind"]
                if not isinstance(kind, str) or not 0 < len(kind.encode()) < 256:
                    raise ValueError("kind is not a short text")
                payload = orjson.dumps(record["payload"], option=orjson.OPT_SORT_KEYS)
                yield int(record["sequence"]), bytes.fromhex(record["hash"]), kind, payload
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                raise InputError(
                    f"not a record ({error})",
                    file=str(source),
                    line=number,
                    expected="an object with sequence, hash, kind and payload",
                ) from None


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
    return pa.schema(own + trial)


def _export_parquet(store: EvidenceStore, to: Path) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("Parquet", "parquet") from None
    count = 0
    rows = store.rows()
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
            for batch in file.iter_batches(_BATCH, columns=columns):
                for row in batch.to_pylist():
                    digest = bytes.fromhex(row["hash"])
                    yield row["sequence"], digest, row["kind"], row["payload"].encode()
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"not usable ({str(error).splitlines()[0]})",
            file=str(source),
            expected="a Parquet file that Buttress exported",
        ) from None
