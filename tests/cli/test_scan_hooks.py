"""The hook of pre-commit and the GitHub action, as those tools use them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from buttress.cli.main import parser
from tests.workflows.scan.command import OTHER, commit, git, repository

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")
# https://pre-commit.com/#creating-new-hooks
HOOK_FIELDS = {
    "id", "name", "description", "entry", "language", "files", "exclude", "types", "types_or",
    "exclude_types", "always_run", "fail_fast", "verbose", "pass_filenames", "require_serial",
    "minimum_pre_commit_version", "args", "stages", "log_file", "language_version",
    "additional_dependencies",
}  # fmt: skip


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


HOOKS = load(".pre-commit-hooks.yaml")
ACTION = load("action.yml")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_are_what_pre_commit_reads(hook: dict[str, Any]) -> None:
    assert {"id", "name", "entry", "language"} <= set(hook) <= HOOK_FIELDS
    assert hook["language"] == "python"
    assert hook["entry"].split()[0] == "buttress"
    # Several processes at once would print into each other, and read the rules once each.
    assert hook["require_serial"] is True


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_the_entry_as_pre_commit_runs_it(hook: dict[str, Any], tmp_path: Path) -> None:
    """In the work tree's top folder, with the names of staged files after the entry."""
    repo = repository(tmp_path / "repo")
    (repo / "app/new.py").write_text(f"key = '{OTHER}'\n")
    git(repo, "add", "--all")
    staged = git(repo, "diff", "--cached", "--name-only").split("\n")
    assert staged == ["app/new.py"]
    assert run(hook["entry"], staged, repo) == (1, ["app/new.py:1"])
    (repo / "app/new.py").write_text("key = load()\n")
    commit(repo)
    # Not what is in the repository already, only what is named.
    assert run(hook["entry"], ["app/new.py", "app/clean.py"], repo) == (0, [])


def run(entry: str, names: list[str], folder: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "buttress", *shlex.split(entry)[1:], *names],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "GIT_INDEX_FILE": ".git/index"},
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, re.findall(r"^ +\d+× (\S+:\d+) ", done.stdout, re.MULTILINE)


def test_the_action_is_a_composite_one_that_pins_what_it_uses() -> None:
    assert {"name", "description", "inputs", "outputs", "runs"} <= set(ACTION)
    assert ACTION["runs"]["using"] == "composite"
    for step in ACTION["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        if "run" in step:
            assert step["shell"] == "bash"
            # What a workflow passes must not become part of the script.
            assert "${{" not in step["run"]
        else:
            assert PINNED.fullmatch(step["uses"])


def test_the_action_uses_only_inputs_that_it_declares() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    for one in ACTION["inputs"].values():
        assert set(one) == {"description", "default"}


def test_the_script_of_the_action(tmp_path: Path) -> None:
    """Run by bash with a stand-in that tells its arguments, to see that none is split or lost."""
    step = next(one for one in ACTION["runs"]["steps"] if one.get("name") == "Scan")
    told = tmp_path / "told"
    program = tmp_path / "buttress/bin/buttress"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{told}"\n')
    program.chmod(0o755)
    values = {
        "PATHS": "a b\n\n$(touch x)\n", "FAIL_ON": "low", "DIFF": "origin/main...", "BASELINE": "",
        "ARGUMENTS": "--exclude=*.bin\n", "SARIF": "out.sarif", "RUNNER_TEMP": str(tmp_path),
    }  # fmt: skip
    assert {*step["env"], "RUNNER_TEMP"} == set(values)
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]], check=True, cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **values},
    )  # fmt: skip
    arguments = told.read_text().splitlines()
    options = parser().parse_args(arguments)
    assert [str(one) for one in options.paths] == ["a b", "$(touch x)"]
    assert (options.diff, options.fail_on, options.format) == (
        "origin/main...",
        ("low", False),
        "github",
    )
    assert (options.exclude, options.baseline) == (["*.bin"], None)
    assert not (tmp_path / "x").exists()
