"""Checks on schedule: jitter, restarts, failures, kills, SIGTERM, and the command line."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from buttress.cli.main import main
from buttress.errors import InputError, TerminatedError
from buttress.evidence.chain import verify
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.workflows.watch import loop
from buttress.workflows.watch.history import read_state
from buttress.workflows.watch.round import RoundResult, opened
from buttress.workflows.watch.settings import WatchSettings, load
from tests.watch.site import Site, serving


@pytest.fixture
def settings(tmp_path: Path) -> WatchSettings:
    (tmp_path / "app.js").write_text("fetch('https://api.shop.example/v1')")
    (tmp_path / "watch.yaml").write_text("every: 1h\njitter: 0.2\nbuilds: [app.js]\n")
    return load(tmp_path)


class Time:
    def __init__(self, settings: WatchSettings, waits: int) -> None:
        self.now, self.waits, self.left = 1_800_000_000.0, [], waits
        self.done: list[RoundResult] = []
        self.failed: list[str] = []
        self.settings = settings

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        self.left -= 1
        if self.left < 0:
            raise TerminatedError

    def run(self, rng: int = 1) -> None:
        with pytest.raises(TerminatedError):
            loop.run_rounds(
                self.settings, self.settings.file.parent / "out", self.done.append,
                self.failed.append, clock=lambda: self.now, sleep=self.sleep,
                rng=random.Random(rng),
            )  # fmt: skip


def test_checks_are_spread_around_the_interval_and_a_restart_makes_none_early(
    settings: WatchSettings,
) -> None:
    first = Time(settings, 6)
    first.run()
    assert len(first.done) == 7
    assert all(2880 <= one <= 4320 for one in first.waits)
    assert len(set(first.waits)) == len(first.waits)
    again = Time(settings, 0)
    again.now = first.now - first.waits[-1] + 60
    again.run(2)
    assert again.done == []
    assert again.waits[0] > 2700


def test_a_round_that_fails_is_told_and_tried_again(
    settings: WatchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def check(*_: object, **__: object) -> RoundResult:
        calls.append(1)
        if len(calls) == 1:
            raise InputError("no space left")
        return RoundResult()

    monkeypatch.setattr(loop, "check_once", check)
    run = Time(settings, 2)
    run.run()
    assert (run.failed, len(run.done)) == (["no space left"], 2)


def test_another_process_is_waited_for(settings: WatchSettings, tmp_path: Path) -> None:
    with (
        EvidenceStore.open(tmp_path / FILE_NAME),
        pytest.raises(InputError, match="is writing to it"),
        opened(tmp_path, 0.3),
    ):
        pass
    with opened(tmp_path, 0.3) as store:
        assert store.count == 0


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "buttress", "watch", "run", str(folder), "--out", str(folder / "o")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def checked(out: Path) -> bool:
    try:
        return bool(read_state(out).checked)
    except InputError:  # not there yet, or just being made
        return False


def test_a_watch_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    site = Site()
    site.page("/", "<title>Shop</title>")
    with serving(site):
        (tmp_path / "watch.yaml").write_text(
            f"every: 10s\njitter: 0\nlayers: [link]\ntargets: ['{site.url}']\n"
        )
        for moment in (0.6, 1.0, 1.4):  # before, in and after the first check
            process = started(tmp_path)
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.communicate()
        process = started(tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "watching 1 asset, about every 10 s\n"
        deadline = time.monotonic() + 60
        while not checked(tmp_path / "o"):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail(f"ended, or no check in a minute; it said {process.communicate()}")
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
        assert (process.returncode, told) == (0, "stopped; what was told is kept\n")
        with EvidenceStore.open(tmp_path / "o" / FILE_NAME) as store:
            assert verify(store).ok
        assert read_state(tmp_path / "o").events == []


def test_the_command_line(
    tmp_path: Path, settings: WatchSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, page = str(tmp_path), tmp_path / "page.html"

    def watch(*arguments: str) -> tuple[int, str, str]:
        code = main(["watch", *arguments, "--out", str(tmp_path / "out")])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, _, told = watch("history", folder)
    assert (code, "no watch in it yet" in told) == (2, True)
    assert watch("once", folder) == (0, "app.js: this is the reference\n", "")
    (tmp_path / "app.js").write_text("fetch('https://evil.test/v1');eval(x)")
    code, said, _ = watch("once", folder, "--json")
    assert (code, [one["severity"] for one in json.loads(said)["events"]]) == (1, ["medium"] * 2)
    assert watch("once", folder) == (0, "nothing new in 1 asset\n", "")
    assert "open events 1, 2" in watch("list", folder)[1]
    said = watch("history", folder, "--html", str(page), "--language", "zh")[1]
    assert "power eval is new" in said
    assert "监测" in page.read_text("utf-8")
    code, _, told = watch("accept", "--file", folder)
    assert (code, "which events?" in told) == (2, True)
    assert watch("accept", "1", "2", "--file", folder)[1].count("is accepted") == 2
    figures = watch("metrics", folder)[1]
    assert 'buttress_watch_events_total{kind="changed",severity="medium"} 2' in figures
    assert watch("once", folder, "--fail-on", "never")[0] == 0
