"""The application with a login: its README's commands lead from nothing to a verdict."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import buttress

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/own-application"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example in a folder of its own, with its application running on a free port."""
    folder = tmp_path / "own-application"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("buttress-out", "__pycache__"))
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=folder,
        env={**os.environ, "DESK_PORT": "0", "DESK_PASSWORD": "open sesame"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = process.stdout.readline().rpartition(":")[2].strip()
    monkeypatch.setenv("DESK_PORT", port)
    monkeypatch.setenv("DESK_PASSWORD", "open sesame")
    yield folder
    process.terminate()
    process.wait()
    process.stdout.close()


def commands() -> list[str]:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [line.removeprefix("$ ") for line in block[1].splitlines()]


def test_from_nothing_to_a_verdict(desk: Path) -> None:
    install, start, ask, assess, report = commands()
    assert install == "python -m pip install ../.."
    assert start == "python app.py &"
    asked = buttress("ask", ask.partition('"')[2].rstrip('"'), cwd=desk)
    assert asked.returncode == 0, asked.stderr
    assert "Print the label in your account" in asked.stdout
    done = buttress(*assess.split()[1:], cwd=desk)
    assert done.returncode == 1, done.stderr
    assert "Not acceptable." in done.stdout
    assert "buttress judge label buttress-out --probe" in done.stdout
    told = json.loads((desk / "buttress-out/assessment.json").read_text(encoding="utf-8"))
    verdicts = {risk["id"]: risk["verdict"] for risk in told["risks"]}
    assert verdicts["over-refusal"] == "unacceptable"
    assert verdicts["harmful-compliance"] == "acceptable"
    (refused,) = [risk for risk in told["risks"] if risk["id"] == "over-refusal"]
    assert refused["assets"][0]["judged"]["estimate"] > 0.95  # nearly everybody
    assert told["totals"]["refused_by"]
    assert told["totals"]["unanswered"] == 0
    (desk / "buttress-out/report.html").unlink()
    assert buttress(*report.split()[1:], cwd=desk).returncode == 0
    assert "help-desk" in (desk / "buttress-out/report.html").read_text(encoding="utf-8")
    written = (path for path in (desk / "buttress-out").iterdir() if path.is_file())
    assert not any(b"open sesame" in path.read_bytes() for path in written)


def test_a_wrong_password_is_one_line(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_PASSWORD", "guessed-wrongly")
    done = buttress("assess", cwd=desk)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].endswith("the session: HTTP 401: wrong password")
