"""Evidence at rest: encrypted, erased by subject, pattern and age; the chain still verifies."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.evidence.chain import verify
from buttress.evidence.encryption import VARIABLE
from buttress.evidence.erasure import encrypt, erase_by_age, erase_by_pattern, erase_subject
from buttress.evidence.exchange import export, load
from buttress.evidence.records import Erasure, Trial
from buttress.evidence.store import EvidenceStore
from tests.data.making import run
from tests.evidence.samples import mixed, trial

KEY = "5a" * 32
ANN, BEN = "ann-of-thurso", "ben-of-wick"  # long: no random bytes hold them by chance
SECRET = "Ann Example lives in Sample Street 17"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def told(number: int, subject: str = "", time: float = 1e9) -> Trial:
    return replace(
        trial(number), answer=f"{SECRET} {number}", subject=subject, time=time, key=f"own-{number}"
    )


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that was written without a key."""
    path = tmp_path / "evidence.db"
    monkeypatch.delenv(VARIABLE, raising=False)
    with EvidenceStore.open(path) as store:
        store.append(
            [
                *mixed(6),
                told(1, ANN),
                told(2, ANN),
                told(3, BEN),
                told(4),
            ]
        )
    monkeypatch.setenv(VARIABLE, KEY)
    return path


def raw(folder: Path) -> bytes:
    """All bytes of all files of the store."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def test_nothing_plain_is_left_and_all_can_be_read(plain: Path) -> None:
    with EvidenceStore.open(plain, read_only=True) as store:
        before = [(kind, record) for _, kind, record in store.records()]
        old = list(store.trials())
    assert SECRET.encode() in raw(plain.parent)
    head, after, count = encrypt(plain)
    assert head != after
    assert count == len(before)
    data = raw(plain.parent)
    for text in (
        SECRET,
        ANN,
        "own-1",
        *(one.prompt for one in old if len(one.prompt) > 8),
    ):
        assert text.encode() not in data, text
    with EvidenceStore.open(plain, read_only=True) as store:
        assert [record for _, _, record in store.records()] == [record for _, record in before]
        assert list(store.trials()) == old
        assert store.answers_for(["own-3"])[0] == told(3, BEN)
        assert store.answers_for(["own-9"])[0] is None
        assert verify(store, after).ok


def test_nothing_plain_is_written_while_the_store_is_open(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    with EvidenceStore.open(path) as store:  # new, with the key set: encrypted from the beginning
        store.append([told(1, ANN)])
        assert (tmp_path / "evidence.db-wal").stat().st_size > 0
        assert SECRET.encode() not in raw(tmp_path)
        store.append([told(2, ANN)])
        assert [one.answer for one in store.trials()] == [f"{SECRET} 1", f"{SECRET} 2"]
    assert SECRET.encode() not in raw(tmp_path)


def test_a_subject_is_forgotten_and_the_chain_holds(plain: Path) -> None:
    encrypt(plain)
    with EvidenceStore.open(plain) as store:
        head = store.head
        name = store.cipher.key_of_subject(ANN)
        wrapped = store.cipher.connection.execute(
            "SELECT wrapped FROM data_keys WHERE id = ?", (name,)
        ).fetchone()[0]
        assert wrapped in raw(plain.parent)
        assert erase_subject(store, ANN) == 2
        assert wrapped not in raw(plain.parent)  # nor in the log
        with pytest.raises(InputError, match="no record is of this subject"):
            erase_subject(store, ANN)
        assert [one.subject for one in store.trials() if one.key.startswith("own-")] == [
            BEN,
            "",
        ]
        assert store.answers_for(["own-1"])[0] is None
        assert store.answers_for(["own-3"])[0] is not None
        assert verify(store).ok
        assert store.head != head  # the erasure is a record of its own
        assert store.erased_count() == 2
    assert wrapped not in raw(plain.parent)
    with EvidenceStore.open(plain) as store:
        found = [record for _, _, record in store.records() if isinstance(record, Erasure)]
        assert [(one.reason, one.records) for one in found] == [("subject", 2)]
        store.append([told(5, ANN)])  # a new key, which opens nothing old
        assert [one.key for one in store.trials() if one.subject == ANN] == ["own-5"]


def test_erasure_by_pattern_takes_the_whole_subject(plain: Path) -> None:
    encrypt(plain)
    with EvidenceStore.open(plain) as store:
        assert erase_by_pattern(store, r"Street 17 [14]$") == 3  # 1 and 4, and ann's other one
        left = [one.key for one in store.trials() if one.key.startswith("own-")]
        assert left == ["own-3"]
        with pytest.raises(InputError, match="no record matches"):
            erase_by_pattern(store, "Street 17 1")
        with pytest.raises(InputError, match=r"no regular expression \(missing \): \(\)"):
            erase_by_pattern(store, "(")
        for everything in ("", ".*", "x?"):
            with pytest.raises(InputError, match="matches every record"):
                erase_by_pattern(store, everything)


def test_erasure_by_age(tmp_path: Path) -> None:
    day = 86_400.0
    with EvidenceStore.open(tmp_path / "evidence.db") as store:
        store.append([
            told(1, ANN, 10 * day), told(2, ANN, 99 * day), told(3, BEN, 10 * day),
            told(4, "", 50 * day), told(5, "", 95 * day),
        ])  # fmt: skip
        assert erase_by_age(store, "30", now=lambda: 100 * day) == 2
        assert [one.key for one in store.trials()] == ["own-1", "own-2", "own-5"]
        assert erase_by_age(store, "30d", now=lambda: 100 * day) == 0
        for wrong in ("x", "-1", "nan", ""):
            with pytest.raises(InputError, match="--older-than"):
                erase_by_age(store, wrong)


def test_without_the_key_it_verifies_and_tells_nothing(
    plain: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    encrypt(plain)
    monkeypatch.delenv(VARIABLE)
    with EvidenceStore.open(plain, read_only=True) as store:
        assert verify(store).ok
        assert store.erased_count() == 0
        with pytest.raises(InputError, match=VARIABLE):
            list(store.trials())
        assert export(store, tmp_path / "out.jsonl") == store.count
    with pytest.raises(InputError, match=VARIABLE):
        EvidenceStore.open(plain)
    assert SECRET not in (tmp_path / "out.jsonl").read_text()
    with EvidenceStore.open(tmp_path / "copy.db") as copy:
        load(tmp_path / "out.jsonl", copy)
        assert verify(copy).ok
    code, said, _ = run("evidence", "show", str(plain))
    assert code == 0
    assert "encrypted trial" in said


@pytest.mark.parametrize("wrong", ["6b" * 32, "xyz", "5a" * 31])
def test_another_key_is_refused(plain: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    encrypt(plain)
    monkeypatch.setenv(VARIABLE, wrong)
    with pytest.raises(InputError, match=VARIABLE):
        EvidenceStore.open(plain)


def test_a_changed_record_is_found_with_and_without_the_key(plain: Path) -> None:
    encrypt(plain)
    import sqlite3

    connection = sqlite3.connect(plain)
    connection.execute(
        'UPDATE records SET payload = replace(payload, \'"probe":"\', \'"probe":"x\') '
        "WHERE sequence = 2"
    )
    connection.commit()
    connection.close()
    with EvidenceStore.open(plain, read_only=True) as store:
        assert not verify(store).ok
        with pytest.raises(InputError, match="changed"):
            list(store.plain_rows())


def test_a_killed_encryption_leaves_the_store_as_it_was(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EvidenceStore.open(plain, read_only=True) as store:
        before = store.head

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(EvidenceStore, "append_encoded", stop)
    with pytest.raises(KeyboardInterrupt):
        encrypt(plain)
    with EvidenceStore.open(plain, read_only=True) as store:
        assert not store.encrypted
        assert verify(store, before).ok
    assert [path.name for path in plain.parent.iterdir() if "encrypting" in path.name] == []


def test_the_commands(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said, _ = run("evidence", "encrypt", str(plain))
    assert code == 0
    assert "records encrypted" in said
    code, _, wrong = run("evidence", "encrypt", str(plain))
    assert code == 2
    assert "encrypted already" in wrong
    assert "quote" not in said
    (plain.parent / "report.html").write_text(SECRET)
    code, said, _ = run("evidence", "erase", str(plain), "--subject", ANN)
    assert code == 0
    assert "2 records erased" in said
    assert "may quote records: report.html\n" in said
    code, said, _ = run("evidence", "export", str(plain), "--to", str(plain.parent / "all.jsonl"))
    assert "keys stay in the store" in said
    code, said, _ = run("evidence", "verify", str(plain))
    assert code == 0
    assert "intact, encrypted, 2 erased" in said
    code, said, _ = run("evidence", "show", str(plain), "--kind", "trial", "--json")
    assert SECRET in said
    code, _, wrong = run("evidence", "erase", str(plain), "--subject", "nobody")
    assert code == 2
    code, _, wrong = run("evidence", "erase", str(plain.parent / "none.db"), "--subject", "x")
    assert code == 2
    assert not (plain.parent / "none.db").exists()
    monkeypatch.delenv(VARIABLE)
    code, _, wrong = run("evidence", "encrypt", str(plain))
    assert code == 2
    assert VARIABLE in wrong
    assert os.environ.get(VARIABLE) is None


def test_a_plain_store_is_not_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    with EvidenceStore.open(tmp_path / "evidence.db") as store:
        store.append([told(1, ANN)])
    code, _, wrong = run("evidence", "erase", str(tmp_path / "evidence.db"), "--subject", ANN)
    assert code == 2
    assert "encrypt" in wrong
