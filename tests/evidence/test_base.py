"""Whatever keeps the records: the chain, exports and labelling rest on the protocol alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from buttress.evidence import exchange
from buttress.evidence.base import RecordStore
from buttress.evidence.chain import verify
from buttress.evidence.records import Label, Turn
from buttress.evidence.store import EvidenceStore
from buttress.labelling.selection import select
from tests.evidence.memory_store import MemoryStore
from tests.evidence.samples import mixed, trial


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    with EvidenceStore.open(tmp_path / "evidence.db") as opened:
        yield opened


def label(item: int) -> Label:
    return Label(f"key-{item}", "harmful-compliance", "model", f"item-{item}", 1.0, "ann")


def test_records_verify_and_are_found(store: RecordStore) -> None:
    turn = Turn("turn", "target", "p", "model", "t", "item-1", "Ask.", "Answer.", run="run-1")
    store.append([*mixed(9), turn])
    store.append([trial(1, answer="newer"), label(1)])
    assert store.count == 12
    assert verify(store, store.head).ok
    newest = store.answers_for(["key-1"])[0]
    assert newest is not None
    assert newest.answer == "newer"
    assert store.turn_for("turn") == turn
    assert store.turn_for("key-1") is None
    assert [one.item for one in store.labels()] == ["item-1"]
    assert [one.system for one in store.provenance()] == ["shop"]
    assert list(store.trials(probe="other")) == []
    assert len(list(store.findings(run="run-1"))) == 2
    assert len(list(store.inspections())) == 1


def test_many_are_looked_up_at_once_in_the_order_of_the_question(store: RecordStore) -> None:
    store.append([trial(item) for item in range(700)])
    store.append([trial(699, answer="newer")])
    keys = [f"key-{item}" for item in range(699, -2, -1)]
    found = store.answers_for([*keys, "key-5"])
    assert [one and one.item for one in found] == [
        *(f"item-{item}" for item in range(699, -1, -1)), None, "item-5"
    ]  # fmt: skip
    assert found[0] is not None
    assert found[0].answer == "newer"
    assert store.answers_for([]) == []


def test_an_export_goes_into_another_kind_of_store(store: RecordStore, tmp_path: Path) -> None:
    store.append(mixed(9))
    exchange.export(store, tmp_path / "all.jsonl")
    other = MemoryStore()
    assert exchange.load(tmp_path / "all.jsonl", other) == 9
    assert other.head == store.head


def test_labels_are_chosen_from_it(store: RecordStore) -> None:
    store.append([trial(1), trial(2), label(2)])
    selection = select(store)
    assert [one.item for one in selection.trials] == ["item-1", "item-2"]
    assert [one.item for one in selection.labels] == ["item-2"]


def test_a_commit_is_on_the_disk_when_append_returns(tmp_path: Path) -> None:
    """``synchronous`` NORMAL survives a kill, but not a loss of power (SQLite, "WAL mode")."""
    with EvidenceStore.open(tmp_path / "evidence.db") as opened:
        connection: sqlite3.Connection = opened._connection
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    assert (level, journal) == (2, "wal")  # 2 is FULL
