"""A hundred thousand trials pass through without being held in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import resource, sys
from pathlib import Path
from buttress.evidence import exchange
from buttress.evidence.chain import verify
from buttress.evidence.store import EvidenceStore
from tests.evidence.samples import trial

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def run(folder, count):
    folder.mkdir()
    store = EvidenceStore.open(folder / "a.db")
    for start in range(0, count, 500):
        store.append([trial(index, answer="yes " * 100) for index in range(start, start + 500)])
    assert sum(1 for _ in store.trials()) == count
    assert store.answers_for([f"key-{count - 1}"])[0].seed == count - 1
    assert verify(store).ok
    assert exchange.export(store, folder / "all.jsonl") == count
    again = EvidenceStore.open(folder / "b.db")
    assert exchange.load(folder / "all.jsonl", again) == count
    assert again.head == store.head
    return peak()

few = run(Path(sys.argv[1]) / "few", 10_000)
print(run(Path(sys.argv[1]) / "many", 100_000) - few)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_trials(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    grown = float(done.stdout)
    size = (tmp_path / "many/a.db").stat().st_size / 2**20
    assert size > 80
    assert grown < 20, f"{grown:.0f} MiB more for a store of {size:.0f} MiB"
