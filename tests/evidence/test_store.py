"""The store: what goes in comes out, in order, and mistakes are told in one line."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.evidence.chain import verify
from buttress.evidence.findings import Finding
from buttress.evidence.records import Provenance, Trial
from buttress.evidence.store import EvidenceStore, resolve
from tests.evidence.samples import ANY_TEXT, any_records, mixed, refused_at_most, trial


def test_records_come_back_as_they_were_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep/er/evidence.db"
    records = mixed(17)
    with EvidenceStore.open(path) as store:
        store.append(records[:4])
        store.append([])
        store.append(records[4:])
        head = store.head
        assert [record for _, _, record in store.records()] == records
    with EvidenceStore.open(resolve(path.parent), read_only=True) as store:
        assert [number for number, _, _ in store.records()] == list(range(1, 18))
        assert store.count == 17
        assert store.head == head == verify(store).head
        assert verify(store, head.upper()).ok
        assert list(store.trials()) == [one for one in records if isinstance(one, Trial)]
        assert list(store.findings()) == [one for one in records if isinstance(one, Finding)]
        assert [one.probe for one in store.inspections()] == ["secrets"] * 3
        assert [one.run for one in store.provenance()] == ["run-1"]


def test_filters_and_newest_answer(tmp_path: Path) -> None:
    with EvidenceStore.open(tmp_path / "evidence.db") as store:
        store.append([trial(1), trial(2, run="b"), trial(3, probe="over-refusal", run="b")])
        store.append([trial(9, key="key-1", answer="newer")])
        assert [one.item for one in store.trials(run="b")] == ["item-2", "item-3"]
        assert [one.item for one in store.trials(run="b", probe="over-refusal")] == ["item-3"]
        newest = store.answers_for(["key-1"])[0]
        assert newest is not None
        assert newest.answer == "newer"
        assert store.answers_for(["key-1 "])[0] is None


@settings(max_examples=60, deadline=None)
@given(any_records())
@pytest.mark.slow
def test_any_record_comes_back(records: list[Trial]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.db"
        with EvidenceStore.open(path) as store:
            store.append(records)
            assert [record for _, _, record in store.records()] == records
            assert verify(store).ok


@settings(max_examples=60, deadline=None)
@given(any_records(ANY_TEXT))
@pytest.mark.slow
def test_lone_surrogates_are_replaced_everywhere(records: list[Trial]) -> None:
    def clean(text: str) -> str:
        return "".join("\ufffd" if 0xD800 <= ord(char) < 0xE000 else char for char in text)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.db"
        with EvidenceStore.open(path) as store:
            store.append(records)
            assert verify(store).ok
            for before, (_, _, after) in zip(records, store.records(), strict=True):
                # Two surrogates that make a pair become the character that they stand for.
                paired = before.run.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                assert after.run in (clean(before.run), paired)
            for one in store.trials():
                assert store.answers_for([one.key])[0] is not None


@pytest.mark.parametrize(
    "bad",
    [
        trial(outcome=math.nan),
        trial(outcome=1.5),
        trial(outcome=-0.1),
        trial(score=math.inf),
        trial(latency_s=math.nan),
        trial(seed=2**70),
        Provenance("r", "s", math.nan, 0, "p"),
        trial(answer=None),
    ],
)
def test_what_would_not_come_back_is_refused(bad: Trial, tmp_path: Path) -> None:
    with EvidenceStore.open(tmp_path / "evidence.db") as store:
        store.append([trial(1)])
        with pytest.raises(InputError, match=r"can't be stored|outcome|not a trial"):
            store.append([trial(2), bad])
        assert store.count == 1
        store.append([trial(3)])
        assert [one.item for one in store.trials()] == ["item-1", "item-3"]
        assert verify(store).ok


def test_two_writers_are_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    code = (
        "import sys\nfrom pathlib import Path\nfrom buttress.evidence.store import EvidenceStore\n"
        f"store = EvidenceStore.open(Path({str(path)!r}))\n"
        "print('open', flush=True)\nsys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdin is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(InputError) as told:
        EvidenceStore.open(path)
    assert str(told.value) == (
        f"{path}: process {other.pid} is writing to it; expected one writer at a time"
    )
    with EvidenceStore.open(path, read_only=True) as store:
        assert store.count == 0
    other.stdin.close()
    assert other.wait(30) == 0
    with EvidenceStore.open(path) as store:
        store.append([trial()])


def test_a_second_writer_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with (
        EvidenceStore.open(tmp_path / "evidence.db"),
        pytest.raises(InputError, match="one writer"),
    ):
        EvidenceStore.open(tmp_path / "evidence.db")


def test_read_only_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    with EvidenceStore.open(path) as store:
        store.append(mixed(5))
    before, files = path.read_bytes(), sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["evidence.db", "evidence.db.lock"]
    with EvidenceStore.open(path, read_only=True) as store:
        with pytest.raises(InputError, match="readonly"):
            store.append([trial()])
        assert store.count == 5
        assert verify(store).ok
        assert sorted(path.parent.iterdir()) == files  # so it works on read-only media
    assert path.read_bytes() == before


def test_a_writer_may_open_and_close_while_others_read(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    with EvidenceStore.open(path) as store:
        store.append(mixed(5))
    with EvidenceStore.open(path, read_only=True) as reader:
        assert len(list(reader.rows())) == 5
        with EvidenceStore.open(path) as store:
            store.append([trial(6)])
            assert len(list(reader.rows())) == 6
        assert verify(reader).ok
    with EvidenceStore.open(path) as store:
        assert store.count == 6
    assert sorted(file.name for file in tmp_path.iterdir()) == ["evidence.db", "evidence.db.lock"]


@pytest.mark.parametrize("read_only", [True, False])
def test_other_files_are_left_alone(read_only: bool, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
    text = tmp_path / "notes.txt"
    text.write_text("not a database at all, but long enough to be one " * 99)
    for path in (other, text):
        before = path.read_bytes()
        with pytest.raises(InputError, match="not an evidence store") as told:
            EvidenceStore.open(path, read_only=read_only)
        assert str(path) in str(told.value)
        assert path.read_bytes() == before
    assert not (tmp_path / "notes.txt.lock").exists()
    with pytest.raises(InputError):
        EvidenceStore.open(tmp_path, read_only=read_only)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.booleans(), st.booleans())
def test_arbitrary_files_open_or_are_refused(data: bytes, magic: bool, read_only: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.db"
        path.write_bytes((b"SQLite format 3\0" if magic else b"") + data)
        with (
            refused_at_most(str(path)),
            EvidenceStore.open(path, read_only=read_only) as store,
        ):
            verify(store)


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.slow
def test_damaged_pages_never_pass_and_never_crash(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.db"
        with EvidenceStore.open(path) as store:
            store.append(mixed(40))
            head = store.head
        raw = bytearray(path.read_bytes())
        if data.draw(st.booleans()):
            raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
        else:
            for _ in range(data.draw(st.integers(1, 5))):
                raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(raw)
        with refused_at_most(), EvidenceStore.open(path, read_only=True) as store:
            result = verify(store, head)
            if result.ok:  # then the damage lay outside the records
                assert [record for _, _, record in store.records()] == mixed(40)


def test_threads_append_without_losing_anything(tmp_path: Path) -> None:
    with EvidenceStore.open(tmp_path / "evidence.db") as store:

        def work(name: int) -> None:
            for index in range(25):
                store.append([trial(index, run=str(name)), trial(index + 1, run=str(name))])

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.count == 200
        assert verify(store).ok
        for name in range(4):
            seeds = [one.seed for one in store.trials(run=str(name))]
            assert seeds == [seed for index in range(25) for seed in (index, index + 1)]


def test_an_older_record_without_a_newer_field_is_read(tmp_path: Path) -> None:
    import orjson

    from buttress.evidence.codec import decode, encode

    payload = orjson.loads(encode(trial(1))[1])
    del payload["cached"]
    assert decode("trial", orjson.dumps(payload)) == replace(trial(1), cached=False)
