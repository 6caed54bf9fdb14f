"""Whatever somebody who lacks the kept head does to a store, verify detects and names it.

Tampering goes past our code, with SQL on the real file.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.evidence.chain import ChainVerification, verify
from buttress.evidence.row import GENESIS, link
from buttress.evidence.store import EvidenceStore
from tests.cli.command import buttress
from tests.evidence.samples import mixed, trial

COUNT = 12
COLUMNS = "sequence, hash, kind, payload, key, run, probe"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "evidence.db"
    with EvidenceStore.open(path) as store:
        store.append(mixed(COUNT))
    return path


def check(path: Path, head: str | None = None) -> ChainVerification:
    with EvidenceStore.open(path, read_only=True) as store:
        return verify(store, head)


def named(result: ChainVerification) -> set[int]:
    return {problem.sequence for problem in result.problems}


Tamper = Callable[[sqlite3.Connection], set[int]]  # returns numbers, one of which must be named


@st.composite
def tamperings(draw: st.DrawFn) -> tuple[str, Tamper]:
    one = draw(st.integers(1, COUNT))
    two = draw(st.integers(1, COUNT).filter(lambda number: number != one))
    byte = draw(st.integers(0, 10**6))
    flip = draw(st.integers(1, 255))

    def payload(connection: sqlite3.Connection) -> set[int]:
        (data,) = connection.execute(
            "SELECT payload FROM records WHERE sequence = ?", (one,)
        ).fetchone()
        raw = bytearray(data)
        raw[byte % len(raw)] ^= flip
        connection.execute("UPDATE records SET payload = ? WHERE sequence = ?", (bytes(raw), one))
        return {one}

    def digest(connection: sqlite3.Connection) -> set[int]:
        (data,) = connection.execute(
            "SELECT hash FROM records WHERE sequence = ?", (one,)
        ).fetchone()
        raw = bytearray(data)
        raw[byte % len(raw)] ^= flip
        connection.execute("UPDATE records SET hash = ? WHERE sequence = ?", (bytes(raw), one))
        return {one}

    def column(connection: sqlite3.Connection) -> set[int]:
        name = ("kind", "key", "run", "probe")[byte % 4]
        value = ("other", b"\xff\xfe", 7, "x" * 300)[flip % 4]
        connection.execute(f"UPDATE records SET {name} = ? WHERE sequence = ?", (value, one))
        return {one}

    def undecodable(connection: sqlite3.Connection) -> set[int]:
        name = ("kind", "key", "run", "probe")[byte % 4]
        connection.execute(
            f"UPDATE records SET {name} = CAST(x'fffe' AS TEXT) WHERE sequence = ?", (one,)
        )
        return {one}

    def drop(connection: sqlite3.Connection) -> set[int]:
        connection.execute("DELETE FROM records WHERE sequence = ?", (one,))
        return {one}

    def close_the_gap(connection: sqlite3.Connection) -> set[int]:
        connection.execute("DELETE FROM records WHERE sequence = ?", (one,))
        for number in range(one + 1, COUNT + 1):
            connection.execute(
                "UPDATE records SET sequence = ? WHERE sequence = ?", (number - 1, number)
            )
        return {one}

    def swap(connection: sqlite3.Connection) -> set[int]:
        for old, new in ((one, -99), (two, one), (-99, two)):
            connection.execute("UPDATE records SET sequence = ? WHERE sequence = ?", (new, old))
        return {min(one, two)}

    def duplicate(connection: sqlite3.Connection) -> set[int]:
        for number in range(COUNT, one, -1):
            connection.execute(
                "UPDATE records SET sequence = ? WHERE sequence = ?", (number + 1, number)
            )
        connection.execute(
            f"INSERT INTO records ({COLUMNS}) SELECT ?, hash, kind, payload, key, run, probe"
            " FROM records WHERE sequence = ?",
            (one + 1, one),
        )
        return {one + 1}

    def hidden(connection: sqlite3.Connection) -> set[int]:
        """A forged record where a reader that starts at 1 does not look."""
        number = -(byte % 50)
        connection.execute(
            f"INSERT INTO records ({COLUMNS}) SELECT ?, hash, kind, payload, key, run, probe"
            " FROM records WHERE sequence = ?",
            (number, one),
        )
        return {number}

    def truncate(connection: sqlite3.Connection) -> set[int]:
        connection.execute("DELETE FROM records WHERE sequence > ?", (COUNT - 1 - byte % 5,))
        return {COUNT - byte % 5}

    def extend(connection: sqlite3.Connection) -> set[int]:
        (head,) = connection.execute("SELECT head FROM seal").fetchone()
        kind, payload = connection.execute(
            "SELECT kind, payload FROM records WHERE sequence = 2"
        ).fetchone()
        connection.execute(
            f"INSERT INTO records ({COLUMNS}) SELECT ?, ?, kind, payload, key, run, probe"
            " FROM records WHERE sequence = 2",
            (COUNT + 1, link(head, kind, payload)),
        )
        return {COUNT + 1}

    def seal_count(connection: sqlite3.Connection) -> set[int]:
        wrong = COUNT + (flip if byte % 2 else -1 - flip % COUNT)
        connection.execute("UPDATE seal SET count = ?", (wrong,))
        return {min(wrong, COUNT) + 1}

    def seal_head(connection: sqlite3.Connection) -> set[int]:
        connection.execute("UPDATE seal SET head = ?", (hashlib.sha256(b"x").digest(),))
        return {COUNT}

    def seal_gone(connection: sqlite3.Connection) -> set[int]:
        connection.execute("DELETE FROM seal")
        return {1}

    def all_gone(connection: sqlite3.Connection) -> set[int]:
        connection.execute("DELETE FROM records")
        return {1}

    tamper = draw(
        st.sampled_from(
            [
                payload, digest, column, undecodable, drop, close_the_gap, swap, duplicate, hidden,
                truncate, extend, seal_count, seal_head, seal_gone, all_gone,
            ]
        )
    )  # fmt: skip
    return tamper.__name__, tamper


def test_an_untouched_store_verifies(original: Path) -> None:
    result = check(original)
    assert result.ok
    assert result.records == COUNT


@settings(max_examples=200, deadline=None)
@given(tampering=tamperings())
@pytest.mark.slow
def test_any_tampering_is_detected_and_named(original: Path, tampering: tuple[str, Tamper]) -> None:
    name, tamper = tampering
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.db"
        shutil.copy(original, path)
        connection = sqlite3.connect(path)
        expected = tamper(connection)
        connection.commit()
        connection.close()
        result = check(path)
        assert not result.ok, name
        assert named(result) >= expected, (name, result.problems)
        assert all("\n" not in problem.what for problem in result.problems)


def changed(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    yield connection
    connection.commit()
    connection.close()


def rewrite(path: Path, keep: int, answer: bytes | None = None) -> None:
    """What somebody does who knows how the chain is made: rehash all, and the seal."""
    for connection in changed(path):
        connection.execute("DELETE FROM records WHERE sequence > ?", (keep,))
        head = GENESIS
        rows = connection.execute("SELECT sequence, kind, payload FROM records").fetchall()
        for sequence, kind, payload in rows:
            data = payload.replace(b"can't help", answer) if answer else payload
            head = link(head, kind, data)
            connection.execute(
                "UPDATE records SET hash = ?, payload = ? WHERE sequence = ?",
                (head, data, sequence),
            )
        connection.execute("UPDATE seal SET count = ?, head = ?", (keep, head))


@pytest.mark.parametrize(("keep", "answer"), [(COUNT, b"can help"), (COUNT - 1, None), (0, None)])
def test_a_rewritten_chain_shows_only_by_a_head_that_was_kept(
    original: Path, tmp_path: Path, keep: int, answer: bytes | None
) -> None:
    head = check(original).head
    path = tmp_path / "evidence.db"
    shutil.copy(original, path)
    rewrite(path, keep, answer)
    assert check(path).ok
    result = check(path, head)
    assert not result.ok
    assert "not the one that was kept" in result.problems[0].what
    told = buttress("evidence", "verify", str(path), "--head", head)
    assert told.returncode == 1


def test_several_changes_are_all_named(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    shutil.copy(original, path)
    for connection in changed(path):
        connection.execute("UPDATE records SET payload = payload || ' ' WHERE sequence IN (3, 9)")
        connection.execute("DELETE FROM records WHERE sequence IN (5, 6)")
    result = check(path)
    assert [problem.what for problem in result.problems] == [
        "trial harmful-compliance/item-2: changed, inserted or moved; its hash does not fit",
        "records 5 to 6 dropped",
        "trial harmful-compliance/item-6: follows what was dropped; its hash does not fit",
        "finding pickle-import at w.pkl@8: changed, inserted or moved; its hash does not fit",
    ]
    told = buttress("evidence", "verify", str(path))
    assert told.returncode == 1
    assert "records 5 to 6 dropped" in told.stdout


def test_appending_to_a_tampered_store_does_not_heal_it(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    shutil.copy(original, path)
    for connection in changed(path):
        connection.execute("UPDATE records SET payload = payload || ' ' WHERE sequence = 3")
    with EvidenceStore.open(path) as store:
        store.append([trial(1)])
    assert named(check(path)) == {3}
