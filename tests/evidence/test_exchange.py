"""Export and import keep every record and the head; bad files are told in one line."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.evidence import exchange
from buttress.evidence.chain import verify
from buttress.evidence.records import Record
from buttress.evidence.store import EvidenceStore
from tests.evidence.samples import ANY_TEXT, any_records, mixed, refused_at_most

SUFFIXES = (".jsonl", ".parquet")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EvidenceStore]:
    with EvidenceStore.open(tmp_path / "evidence.db") as made:
        made.append(mixed(30))
        yield made


@settings(max_examples=25, deadline=None)
@given(any_records() | any_records(ANY_TEXT), st.sampled_from(SUFFIXES))
@pytest.mark.slow
def test_a_round_trip_keeps_records_and_head(records: list[Record], suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"all{suffix}"
        with EvidenceStore.open(Path(folder) / "a.db") as first:
            first.append(records)
            assert exchange.export(first, file) == len(records)
            kept = [record for _, _, record in first.records()]
            head = first.head
        with EvidenceStore.open(Path(folder) / "b.db") as second:
            assert exchange.load(file, second) == len(records)
            assert [record for _, _, record in second.records()] == kept
            assert verify(second, head).ok
            again = Path(folder) / f"again{suffix}"
            exchange.export(second, again)
        if suffix == ".jsonl":
            assert again.read_bytes() == file.read_bytes()


def test_parquet_has_columns_for_analysis(store: EvidenceStore, tmp_path: Path) -> None:
    exchange.export(store, tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    rows = [row for row in table.to_pylist() if row["kind"] == "trial"]
    trials = list(store.trials())
    assert [row["outcome"] for row in rows] == [one.outcome for one in trials]
    assert [row["answer"] for row in rows] == [one.answer for one in trials]
    assert table.schema.field("outcome").type == pa.float64()
    assert table.schema.field("cached").type == pa.bool_()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_older_format_keeps_its_head(suffix: str, tmp_path: Path) -> None:
    """Records from before a field was added have other bytes than ours; they are kept."""
    from buttress.evidence.codec import decode

    payload = {"probe": "secrets", "probe_version": "0", "asset": "a", "files": 1, "bytes": 2}
    raw = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    with EvidenceStore.open(tmp_path / "a.db") as first:
        first.append_encoded([("inspection", decode("inspection", raw), raw)])
        exchange.export(first, tmp_path / f"all{suffix}")
        head = first.head
    with EvidenceStore.open(tmp_path / "b.db") as second:
        exchange.load(tmp_path / f"all{suffix}", second)
        assert verify(second, head).ok


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_broken_store_is_not_exported(store: EvidenceStore, suffix: str, tmp_path: Path) -> None:
    store.close()
    for sql, what in (
        ("UPDATE records SET payload = 'x' WHERE sequence = 7", "record 7"),
        ("DELETE FROM records WHERE sequence = 7", "record 8"),
        ("DELETE FROM records WHERE sequence > 6", "the seal does not fit record 6"),
    ):
        with closing(sqlite3.connect(store.path)) as connection, connection:
            connection.execute(sql)
        connection.close()
        with (
            EvidenceStore.open(store.path, read_only=True) as broken,
            pytest.raises(InputError, match=what),
        ):
            exchange.export(broken, tmp_path / f"all{suffix}")
    assert not [path for path in tmp_path.iterdir() if suffix in path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_unwritable_places_and_other_endings(
    store: EvidenceStore, suffix: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="No such file") as told:
        exchange.export(store, tmp_path / f"no/such/all{suffix}")
    assert f"no/such/all{suffix}" in str(told.value)
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(InputError, match="folder"):
        exchange.export(store, tmp_path / f"folder{suffix}")
    with pytest.raises(InputError, match=r"expected \.jsonl or \.parquet"):
        exchange.export(store, tmp_path / "all.csv")
    with EvidenceStore.open(tmp_path / "new.db") as new:
        for name in ("nothing.jsonl", f"folder{suffix}"):
            with pytest.raises(InputError, match="no such file"):
                exchange.load(tmp_path / name, new)
    with pytest.raises(InputError, match="an empty or new store"):
        exchange.load(tmp_path / "all.jsonl", store)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("lines")
    with EvidenceStore.open(folder / "a.db") as first:
        first.append(mixed(6))
        exchange.export(first, folder / "all.jsonl")
    return (folder / "all.jsonl").read_bytes().splitlines()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EvidenceStore]:
    """A store into which nothing that is refused may get."""
    with EvidenceStore.open(tmp_path_factory.mktemp("empty") / "b.db") as store:
        yield store
        assert store.count == 0
        assert not list(store.rows())


ODD = st.none() | st.integers(-5, 5) | st.text(max_size=5) | st.just({}) | st.just([1])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_line_is_refused_and_nothing_is_stored(
    lines: list[bytes], empty: EvidenceStore, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, 5))
    changed = orjson.loads(lines[place])
    target = data.draw(st.sampled_from(["sequence", "hash", "kind", "payload", "inside", "line"]))
    if target == "inside":
        name = data.draw(st.sampled_from(sorted(changed["payload"])))
        changed["payload"][name] = data.draw(ODD)
    elif target == "line":
        changed = data.draw(ODD)
    else:
        changed[target] = data.draw(ODD)
    if changed == orjson.loads(lines[place]):
        return
    file = empty.path.with_name("all.jsonl")
    file.write_bytes(b"\n".join([*lines[:place], orjson.dumps(changed), *lines[place + 1 :], b""]))
    with pytest.raises(InputError) as told:
        exchange.load(file, empty)
    assert f"all.jsonl:{place + 1}: " in str(told.value)
    assert "\n" not in str(told.value)
    assert empty.count == 0


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=400), suffix=st.sampled_from(SUFFIXES), magic=st.booleans())
def test_arbitrary_bytes_are_refused_in_one_line(
    empty: EvidenceStore, data: bytes, suffix: str, magic: bool
) -> None:
    file = empty.path.with_name(f"all{suffix}")
    file.write_bytes(b"PAR1" + data + b"PAR1" if magic else data)
    with refused_at_most(str(file)):
        assert exchange.load(file, empty) == 0
    assert empty.count == 0


@pytest.mark.parametrize(
    "columns",
    [
        {"sequence": [1]},
        {"sequence": [None], "hash": [None], "kind": [None], "payload": [None]},
        {"sequence": ["1"], "hash": ["00"], "kind": ["trial"], "payload": ["{}"]},
        {"sequence": [1], "hash": ["zz"], "kind": ["trial"], "payload": ["{}"]},
        {"sequence": [1], "hash": ["00"], "kind": ["x" * 300], "payload": ["{}"]},
        {"sequence": [1], "hash": [b"00"], "kind": [["trial"]], "payload": [7]},
    ],
)
def test_a_parquet_file_of_something_else_is_refused(
    columns: dict[str, list[object]], tmp_path: Path
) -> None:
    file = tmp_path / "all.parquet"
    pq.write_table(pa.table(columns), file)
    with EvidenceStore.open(tmp_path / "b.db") as store:
        with pytest.raises(InputError) as told:
            exchange.load(file, store)
        assert str(file) in str(told.value)
        assert store.count == 0
