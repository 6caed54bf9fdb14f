"""The runners of ``buttress data``: the same result wherever shards are worked on."""

from __future__ import annotations

import importlib.util
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from buttress.data import shards
from buttress.data.runners import LocalRunner, RayDataRunner, open_runner
from buttress.errors import ButtressError, InputError
from tests.data.making import cleaned, corpus, kept, run, written

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs ray")


def _note(folder: Path, number: int) -> None:
    (folder / str(number)).write_text(str(os.getpid()))


def _dies_once(folder: Path, number: int) -> None:
    """Ends its process by a signal the first time that it has task 1."""
    if number == 1 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    _note(folder, number)


def _refuses(number: int) -> None:
    raise InputError("not usable", field=f"task {number}", expected="another")


def test_a_killed_worker_is_retried_here(tmp_path: Path) -> None:
    with LocalRunner(2) as runner:
        runner.run(partial(_dies_once, tmp_path), range(3))
    assert (tmp_path / "died").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"died", "0", "1", "2"}


@needs_ray
@pytest.mark.slow
def test_ray_gives_the_digest_of_one_process_and_retries_a_killed_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MAX_RECORDS", 25)
    path = written(tmp_path / "in.jsonl", corpus(4))
    stages = ("exact", "near", "pii")
    here = cleaned(path, tmp_path / "here", *stages)
    try:
        ray_runner = RayDataRunner(2)
    except InputError as error:  # Ray gives its processes 15 seconds, which a busy machine exceeds
        pytest.skip(str(error))
    with ray_runner as runner:
        (tmp_path / "tasks").mkdir()
        runner.run(partial(_dies_once, tmp_path / "tasks"), range(3))
        names = {one.name for one in (tmp_path / "tasks").iterdir()}
        assert names == {"died", "0", "1", "2"}
        pids = {(tmp_path / "tasks" / str(number)).read_text() for number in range(3)}
        assert str(os.getpid()) not in pids
        with pytest.raises(InputError, match="not usable"):
            runner.run(_refuses, [7])
        there = cleaned(path, tmp_path / "there", *stages, runner="ray", workers=2)
    assert there["digest"] == here["digest"]
    assert there["records"] == here["records"]
    assert kept(tmp_path / "there") == kept(tmp_path / "here")


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    path = written(tmp_path / "in.jsonl", corpus(4, count=3))
    code, _, wrong = run("data", "run", str(path), "--out", str(tmp_path / "o"), "--runner", "ray")
    assert code == 2
    assert "pip install '.[ray]'" in wrong
    with pytest.raises(ButtressError):
        open_runner("ray", 1)
