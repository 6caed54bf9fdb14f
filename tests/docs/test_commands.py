"""Commands in the documentation: each one parses, and the walk-through runs as printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from buttress.cli.main import parser
from tests.docs.commands import Command, commands, files

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
WALKTHROUGH = ROOT / "docs/walkthrough.md"


def test_outputs_are_compared() -> None:
    shown = Command("x", ["a  b", "…", "end …"])
    assert shown.matches("a b\nanything\nend of it")
    assert not shown.matches("a c\nanything\nend")
    assert not Command("x", ["1 high"]).matches("11 high")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_parses(page: Path) -> None:
    lines = [one.line for one in commands(page.read_text(encoding="utf-8"))]
    for line in lines:
        if not line.startswith("buttress "):
            continue
        shell = re.split(r" [|>&]+ |; ", line)[0]
        words = [word for word in shlex.split(shell)[1:] if word not in ("…", "...")]
        if not {"--help", "--version"} & set(words):
            parser(words[0]).parse_args(words)  # exits where a word is not known


@pytest.mark.slow
def test_the_walk_through_runs_as_printed(tmp_path: Path) -> None:
    page = WALKTHROUGH.read_text(encoding="utf-8")
    for name, text in files(page):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    ours = tmp_path / "bin"
    ours.mkdir()
    for name, run in (("buttress", "-m buttress"), ("python3", "")):
        (ours / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {run} "$@"\n')
        (ours / name).chmod(0o755)
    environment = os.environ | {
        "PATH": f"{ours}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "100",
    }  # fmt: skip
    ran = 0
    for one in commands(page):
        done = subprocess.run(
            one.line, shell=True, cwd=tmp_path, env=environment, text=True,
            capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode in (0, 1), f"{one.line}\n{done.stderr}"
        assert one.matches(done.stdout), f"{one.line}\n{done.stdout}"
        ran += 1
    assert ran >= 10
