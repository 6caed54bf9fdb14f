"""The examples for CI: what they pin, what their scripts run, and that our own scan passes them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from buttress.cli.main import main, parser

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "examples/ci"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
USES = re.compile(r"^\s*(?:- )?uses: (\S+)(?: # (\S+))?$", re.MULTILINE)
PINNED = re.compile(r"([\w./-]+)@([0-9a-f]{40})")
VERSION = re.compile(r"v\d+\.\d+\.\d+")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_action_is_pinned_once_and_says_its_version() -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for path in (ROOT / "action.yml", CI / "github.yml", *WORKFLOWS):
        for used, comment in USES.findall(path.read_text(encoding="utf-8")):
            if used == "./.buttress":
                continue
            pin = PINNED.fullmatch(used)
            assert pin is not None, used
            assert VERSION.fullmatch(comment), used
            pins.setdefault(pin[1], set()).add((pin[2], comment))
    assert set(pins) == {
        "actions/checkout", "actions/setup-python", "github/codeql-action/upload-sarif",
        "actions/upload-artifact", "actions/download-artifact", "pypa/gh-action-pypi-publish",
    }  # fmt: skip
    assert all(len(one) == 1 for one in pins.values())


def test_our_own_workflows_run_targets_of_the_makefile_with_few_rights() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {path.stem for path in WORKFLOWS} == {"test", "thorough", "release"}
    for path in WORKFLOWS:
        workflow = load(path)
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= (350 if path.stem == "thorough" else 120)
            for step in job["steps"]:
                command = step.get("run", "")
                if command.startswith("make "):
                    assert command.split()[1] in targets


def test_the_workflow_runs_the_action_from_where_it_was_put() -> None:
    workflow, action = load(CI / "github.yml"), load(ROOT / "action.yml")
    code, buttress, scan = workflow["jobs"]["scan"]["steps"]
    assert scan["uses"] == f"./{buttress['with']['path']}"
    assert set(scan["with"]) <= set(action["inputs"])
    assert scan["with"]["arguments"] == f"--exclude=/{buttress['with']['path']}"
    assert not any(one["with"]["persist-credentials"] for one in (code, buttress))
    assert workflow["permissions"] == {"contents": "read"}


def test_nothing_has_to_be_edited() -> None:
    for path in (*CI.iterdir(), ROOT / "action.yml"):
        assert not re.search(r"OWNER|example\.org|0{40}", path.read_text(encoding="utf-8")), path


def test_our_own_scan_passes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where CI reads them, since their names say what they are."""
    for name, place in (
        (CI / "github.yml", ".github/workflows/buttress.yml"),
        (CI / "gitlab.yml", ".gitlab-ci.yml"),
        (CI / "Jenkinsfile", "Jenkinsfile"),
        (CI / "pre-commit-config.yaml", ".pre-commit-config.yaml"),
        (ROOT / "action.yml", "action.yml"),
        (ROOT / ".pre-commit-hooks.yaml", ".pre-commit-hooks.yaml"),
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, tmp_path / place)
    workflow = tmp_path / ".github/workflows/buttress.yml"
    assert main(["scan", str(tmp_path), "--fail-on", "info"]) == 0
    assert "No findings" in capsys.readouterr().out
    # The same scan sees the workflow: a tag in place of a commit is told.
    text = workflow.read_text(encoding="utf-8")
    workflow.write_text(re.sub(r"checkout@\w+", "checkout@v6", text), encoding="utf-8")
    assert main(["scan", str(tmp_path), "--fail-on", "info"]) == 1


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """Programs that tell their arguments, in place of Buttress, Python and pip."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("buttress", "pip", "python", "apt-get"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/{name}.told"\n')
        program.chmod(0o755)
    # Jenkins runs what it has installed into a folder.
    (tmp_path / ".buttress").mkdir()
    (tmp_path / ".buttress/bin").symlink_to(folder)
    return folder


def bash(script: str, folder: Path, programs: Path, **values: str) -> int:
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env={"PATH": path, **values}, check=False,
        capture_output=True,
    ).returncode  # fmt: skip


def gitlab() -> Iterator[tuple[str, str, str, str]]:
    job = load(CI / "gitlab.yml")["buttress"]
    script = "set -eo pipefail\n" + "\n".join([*job["before_script"], *job["script"]])
    yield script, "CI_MERGE_REQUEST_DIFF_BASE_SHA", "abc", job["artifacts"]["reports"]["junit"]


def jenkins() -> Iterator[tuple[str, str, str, str]]:
    text = (CI / "Jenkinsfile").read_text(encoding="utf-8")
    (script,) = re.findall(r"'''(.*?)'''", text, re.DOTALL)
    (report,) = re.findall(r"testResults: '(.*?)'", text)
    yield script, "CHANGE_TARGET", "origin/main...", report


@pytest.mark.parametrize("job", [*gitlab(), *jenkins()])
def test_the_scripts(job: tuple[str, str, str, str], stand_in: Path, tmp_path: Path) -> None:
    script, name, diff, report = job
    told = tmp_path / "buttress.told"
    assert bash(script, tmp_path, stand_in) != 0  # what is to be installed was not said
    assert not told.exists()
    assert bash(script, tmp_path, stand_in, BUTTRESS="a b.whl") == 0
    assert "a b.whl" in (tmp_path / "pip.told").read_text().splitlines()
    options = parser().parse_args(told.read_text().splitlines())
    assert (options.diff, options.fail_on, str(options.junit)) == (None, ("high", False), report)
    value = "main" if name == "CHANGE_TARGET" else "abc"
    assert bash(script, tmp_path, stand_in, BUTTRESS="x", **{name: value}) == 0
    assert parser().parse_args(told.read_text().splitlines()).diff == diff


def test_the_local_hook_is_that_of_the_manifest() -> None:
    manifest = {one["id"]: one for one in load(ROOT / ".pre-commit-hooks.yaml")}
    (repository,) = load(CI / "pre-commit-config.yaml")["repos"]
    for hook in repository["hooks"]:
        theirs = manifest[hook["id"]]
        for name in ("name", "entry", "types", "require_serial"):
            assert hook[name] == theirs[name]
        options = parser().parse_args([*hook["entry"].split()[1:], *hook["args"], "x"])
        told = options.fail_on, str(options.baseline)
        assert told == (("high", False), ".buttress-baseline.json")
