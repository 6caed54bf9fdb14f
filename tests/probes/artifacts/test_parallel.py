"""A folder examined by several processes gives what one process gives, in the same order."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import pytest

from buttress.files.folder import files
from buttress.json_process import JsonProcess
from buttress.probes.artifacts import parallel, worker_pool
from buttress.probes.artifacts.one_file import FileReport, examine_file
from tests.probes.artifacts.assemble import EVIL, zipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "models"
    for i in range(90):
        place = inside / f"{i % 7}"
        place.mkdir(parents=True, exist_ok=True)
        data = EVIL if i % 5 == 0 else b"\x80\x04]\x94." if i % 2 else zipped({"a": EVIL})
        (place / f"{i}.bin").write_bytes(data)
    (inside / "odd \udcff\n.pkl").write_bytes(EVIL)
    return inside


def reported(folder: Path, **options: float) -> list[tuple[Path, FileReport]]:
    return list(parallel.reports(files(folder, []), **options))  # type: ignore[arg-type]


def test_same_reports_in_the_same_order(folder: Path) -> None:
    expected = [(path, examine_file(path)) for path in files(folder, [])]
    assert any(report.issues for _, report in expected)
    assert reported(folder, workers=3, alone=0) == expected
    assert reported(folder, workers=1) == expected
    assert reported(folder) == expected


def test_a_process_that_dies_costs_one_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = folder / "0/0.bin"
    ask = worker_pool.Worker._ask

    def dying(
        worker: worker_pool.Worker, process: JsonProcess, batch: list[Path]
    ) -> list[FileReport]:
        if bad in batch:
            process.stop()
        return ask(worker, process, batch)

    monkeypatch.setattr(worker_pool.Worker, "_ask", dying)
    paths = itertools.chain([folder / "1/1.bin"], files(folder, []))
    found = dict(parallel.reports(paths, workers=2, alone=0))
    assert found[bad].error == "the process that examined it ended"
    assert [path for path, report in found.items() if report.error] == [bad]


def test_without_processes_the_work_is_still_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = reported(folder, workers=1)
    for executable in ("", "/nonexistent/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", executable)
        assert reported(folder, workers=2, alone=0) == expected


def test_nothing_in_the_folder_is_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = folder.parent / "ran"
    for name in ("json", "pathlib", "buttress", "sitecustomize"):
        (folder / f"{name}.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.chdir(folder)
    reported(Path("."), workers=2, alone=0)
    assert not mark.exists()


def test_a_generator_that_is_left_ends_its_processes(folder: Path) -> None:
    before = _children()
    running = parallel.reports(files(folder, []), workers=2, alone=0)
    for _ in range(40):
        next(running)
    assert _children() > before
    running.close()
    assert _children() == before


def _children() -> int:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return sum(len(one.read_text().split()) for one in tasks)
