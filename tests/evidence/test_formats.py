"""Evidence of every released format is read; what a newer version wrote is kept."""

from __future__ import annotations

import gzip
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from buttress.errors import InputError
from buttress.evidence import exchange
from buttress.evidence.chain import verify
from buttress.evidence.codec import decode, encode
from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.migrations import FORMAT, STEPS, migrate
from buttress.evidence.records import Label, Provenance, Trial, Turn, UnknownRecord
from buttress.evidence.row import GENESIS, link
from buttress.evidence.store import EvidenceStore
from buttress.labelling.selection import select
from tests.evidence.samples import trial

FOLDER = Path(__file__).parent / "formats"
# Each was made by the version that had that format; the head was printed by that version.
HEADS = {1: "ea5659c4af710b9b7b24a2010d30125d1e03200374b8bade5b38683c6997b281"}


def released(number: int, folder: Path) -> Path:
    path = folder / "evidence.db"
    path.write_bytes(gzip.decompress((FOLDER / f"{number}.db.gz").read_bytes()))
    return path


def test_every_format_before_this_one_has_a_store_here() -> None:
    assert set(HEADS) == set(STEPS) == set(range(1, FORMAT))


@pytest.mark.parametrize("number", HEADS)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_released_format_is_read(number: int, read_only: bool, tmp_path: Path) -> None:
    path = released(number, tmp_path)
    before = path.read_bytes()
    with EvidenceStore.open(path, read_only=read_only) as store:
        assert verify(store, HEADS[number]).ok
        assert store.format == (number if read_only else FORMAT)
        first, second = store.trials(run="run-1")
        assert (first.answer, first.outcome) == ("I can't help with that.\n“Sorry” 抱歉", 1.0)
        assert (second.language, second.cached, second.calls) == ("zh", True, 3)
        assert [one.role for _, _, one in store.records() if isinstance(one, Turn)] == ["attacker"]
        assert [one.rule for one in store.findings()] == ["pickle-code", "secret"]
        assert [one.skipped for one in store.inspections()] == [("a.bin: too large",)]
        assert [(one.chance, one.labeller) for one in store.labels()] == [(0.5, "ann")]
        (run,) = store.provenance()
        assert run.details == {"manifest": "cd", "command": "assess"}
    if read_only:
        assert path.read_bytes() == before


@pytest.mark.parametrize("number", HEADS)
def test_a_migrated_store_keeps_its_chain_and_goes_on(number: int, tmp_path: Path) -> None:
    path = released(number, tmp_path)
    with EvidenceStore.open(path) as store:
        store.append([trial(9)])
    with EvidenceStore.open(path, read_only=True) as store:
        assert store.format == FORMAT
        assert store.count == 9
        assert verify(store).ok
        assert [row.hash.hex() for row in store.rows()][7] == HEADS[number]


@pytest.mark.parametrize("number", HEADS)
def test_a_released_export_is_imported(number: int, tmp_path: Path) -> None:
    with EvidenceStore.open(tmp_path / "new.db") as store:
        assert exchange.load(FOLDER / f"{number}.jsonl", store) == 8
        assert store.head == HEADS[number]
        assert store.format == FORMAT


def test_a_new_store_carries_its_number(tmp_path: Path) -> None:
    EvidenceStore.open(tmp_path / "evidence.db").close()
    connection = sqlite3.connect(tmp_path / "evidence.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    connection.close()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_format_is_refused_and_left_alone(read_only: bool, tmp_path: Path) -> None:
    path = released(1, tmp_path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InputError) as told:
        EvidenceStore.open(path, read_only=read_only)
    assert str(told.value) == (
        f"{path}: made by a newer version of Buttress (evidence format {FORMAT + 1}); "
        f"expected format {FORMAT} or older, or a newer Buttress"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_an_export_of_a_newer_format_is_refused(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"all{suffix}"
    with EvidenceStore.open(tmp_path / "evidence.db") as store:
        store.append([trial(1)])
        with monkeypatch.context() as patched:
            patched.setattr(exchange, "FORMAT", FORMAT + 1)
            exchange.export(store, file)
    with (
        EvidenceStore.open(tmp_path / "new.db") as store,
        pytest.raises(InputError, match=f"newer version of Buttress .evidence format {FORMAT + 1}"),
    ):
        exchange.load(file, store)


def test_a_migration_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = released(1, tmp_path)

    def add_column(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE records ADD COLUMN tenant TEXT")

    def fail(connection: sqlite3.Connection) -> None:
        raise OSError("disk")

    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(OSError, match="disk"):
        migrate(connection, newest=3, steps={1: add_column, 2: fail})
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    names = [row[1] for row in connection.execute("PRAGMA table_info(records)")]
    assert "tenant" not in names
    migrate(connection, newest=3, steps={1: add_column, 2: lambda _: None})
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    names = [row[1] for row in connection.execute("PRAGMA table_info(records)")]
    assert "tenant" in names
    connection.close()


KNOWN = [
    trial(1),
    Turn("turn", "judge", "p", "model", "t", "item-1", "Ask.", "Answer."),
    Label("key-1", "harmful-compliance", "model", "item-1", 0.0, "ann", 0.25),
    Finding("rule", "low", "a", "f.py:1", "It is.", "Mend it.", ("CWE-1",)),
    Inspection("secrets", "1", "a", 1, 2),
    Provenance("run-1", "shop", 1.0, 1, "default"),
]
NEWER: dict[str, Any] = {"a_new_field": {"b": [1, None, "抱歉"], "a": 0.5}, "zone": "eu"}


def newer(record: Any) -> tuple[str, Any, bytes]:
    """The record as a version with two more fields stores it."""
    kind = type(record).__name__.lower()
    values = orjson.loads(encode(record)[1]) | NEWER
    payload = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    return kind, decode(kind, payload), payload


@pytest.mark.parametrize("record", KNOWN, ids=lambda record: type(record).__name__)
def test_unknown_fields_are_kept_and_written_again(record: Any) -> None:
    kind, read, payload = newer(record)
    assert read == replace(record, extra=NEWER)
    assert encode(read) == (read, payload)
    assert decode(kind, payload) != record


def test_a_field_is_not_stored_twice() -> None:
    with pytest.raises(InputError, match="answer of this trial record is a field of its own"):
        encode(replace(trial(1), extra={"answer": "other"}))


def test_a_kind_of_a_newer_version_is_kept() -> None:
    payload = b'{"at":{"x":1},"probe":"watch","run":"run-1"}'
    read = decode("sighting", payload)
    assert read == UnknownRecord("sighting", {"at": {"x": 1}, "probe": "watch", "run": "run-1"})
    assert encode(read) == (read, payload)
    with pytest.raises(InputError, match="kind trial is known"):
        encode(UnknownRecord("trial", {}))


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_what_a_newer_version_wrote_survives(suffix: str, tmp_path: Path) -> None:
    """Reading, verifying, labelling, exporting and importing keep every byte of the payloads."""
    event = b'{"probe":"watch","what":"restart"}'
    stored = [*map(newer, KNOWN[:2]), ("sighting", decode("sighting", event), event)]
    stored += list(map(newer, KNOWN[3:]))
    head = GENESIS
    with EvidenceStore.open(tmp_path / "a.db") as store:
        store.append_encoded(stored)
        selection = select(store)
        assert [one.extra for one in selection.trials] == [NEWER]
        store.append([Label("key-1", "harmful-compliance", "model", "item-1", 0.0, "ann")])
        assert verify(store).ok
        exchange.export(store, tmp_path / f"all{suffix}")
        before = list(store.rows())
    for kind, _, payload in stored:
        head = link(head, kind, payload)
    assert before[5].hash == head
    with EvidenceStore.open(tmp_path / "b.db") as store:
        exchange.load(tmp_path / f"all{suffix}", store)
        assert list(store.rows()) == before
        assert verify(store, before[-1].hash.hex()).ok
        assert [one.extra for one in store.trials() if isinstance(one, Trial)] == [NEWER]
        assert [one for _, _, one in store.records() if isinstance(one, UnknownRecord)] == [
            stored[2][1]
        ]
