"""A writer is killed, another is read meanwhile: nothing that was acknowledged is lost."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from buttress.evidence.chain import verify
from buttress.evidence.store import EvidenceStore
from tests.evidence.samples import trial

ROOT = Path(__file__).resolve().parents[2]


def start(path: Path, batch: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.evidence.writer", str(path), str(batch)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    chance = random.Random(5)
    total = 0
    for batch in (1, 3, 50, 4000, 400, 4000, 2):
        writer = start(path, batch)
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline()]
        time.sleep(chance.random() * 0.2)
        writer.kill()
        acknowledged += writer.stdout.readlines()
        writer.stdout.close()
        assert writer.wait() == -9
        whole = [line.split() for line in acknowledged if line.endswith(b"\n")]
        count, head = int(whole[-1][0]), whole[-1][1].decode()

        with EvidenceStore.open(path, read_only=True) as store:
            assert store.count >= count > total
            assert verify(store).ok
            heads = {number: digest for number, digest, _ in store.records()}
            assert heads[count] == head
            # All or none of a batch.
            assert store.count in (count, count + batch)
            total = store.count
    with EvidenceStore.open(path) as store:
        store.append([trial(total)])
        assert [one.seed for one in store.trials()] == list(range(total + 1))
        assert verify(store).ok


def test_a_reader_sees_a_whole_chain_while_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    writer = start(path, 5)
    assert writer.stdout is not None
    try:
        writer.stdout.readline()
        counts = []
        while len(counts) < 40:
            with EvidenceStore.open(path, read_only=True) as store:
                result = verify(store)
                assert result.ok, result.problems
                counts.append(result.records)
        assert counts == sorted(counts)
        assert counts[-1] > counts[0]
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def test_a_transaction_that_was_cut_off_in_the_file_is_undone_for_readers_too(
    tmp_path: Path,
) -> None:
    store = tmp_path / "evidence.db"
    with EvidenceStore.open(store) as opened:
        opened.append([trial(number) for number in range(200)])
    writing = sqlite3.connect(store, isolation_level=None)
    writing.execute("PRAGMA cache_size = 1")  # so that pages are written before the commit
    writing.execute("BEGIN IMMEDIATE")
    writing.execute("UPDATE records SET payload = randomblob(4000)")
    cut_off = tmp_path / "cut-off" / "evidence.db"
    cut_off.parent.mkdir()
    for end in ("", "-journal"):  # as a kill would leave them
        shutil.copy(f"{store}{end}", f"{cut_off}{end}")
    writing.close()
    with EvidenceStore.open(cut_off, read_only=True) as opened:
        assert verify(opened).ok
        assert len(list(opened.trials())) == 200
