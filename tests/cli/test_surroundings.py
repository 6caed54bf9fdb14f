"""What a shell may do to a command: no output, no room, no folder, a terminal of few characters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCAN = [sys.executable, "-m", "buttress", "scan"]


def shell(line: str, *arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """A line of the shell in which ``"$@"`` stands for ``buttress scan`` and the arguments."""
    return subprocess.run(
        ["sh", "-c", line, "sh", *SCAN, *arguments],
        capture_output=True, check=False, cwd=cwd,
        encoding=env.get("PYTHONIOENCODING", "utf-8"),
        env={**os.environ, "NO_COLOR": "1", **env},
    )  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A finding whose path is not of ASCII."""
    (tmp_path / "é中.py").write_text("import os, sys\nos.system(input())\neval(input())\n")
    return tmp_path


@pytest.mark.parametrize("line", ['"$@" >&-', '"$@" >&- 2>&-'])
def test_closed_output(tree: Path, line: str) -> None:
    done = shell(line, ".", cwd=tree)
    assert done.returncode == 2
    if "2>" not in line:
        (told,) = done.stderr.splitlines()
        assert told.startswith("buttress: error: standard output is closed; expected")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_no_room_for_output(tree: Path, form: str) -> None:
    done = shell('"$@" >/dev/full', ".", "--format", form, cwd=tree)
    (told,) = done.stderr.splitlines()
    assert (done.returncode, told) == (
        2,
        "buttress: error: output can't be written: No space left on device; "
        "expected room for all of it",
    )


def test_a_folder_that_is_gone(tree: Path) -> None:
    (tree / "gone").mkdir()
    line = 'rmdir ../gone && "$@"'
    done = shell(line, str(tree), cwd=tree / "gone")
    (told,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert told.startswith("buttress: error: the current folder does not exist any more; expected")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_that_the_terminal_lacks_cut_nothing(tree: Path, encoding: str) -> None:
    def run(form: str, encoding: str) -> tuple[int, str]:
        done = shell('"$@"', ".", "--format", form, cwd=tree, PYTHONIOENCODING=encoding)
        assert done.stderr == ""
        return done.returncode, done.stdout

    code, whole = run("text", "utf-8")
    escaped_code, escaped = run("text", encoding)
    assert "é中.py" in whole
    assert "\\u4e2d.py" in escaped
    assert (escaped_code, escaped.count("\n")) == (code, whole.count("\n"))
    told, again = json.loads(run("json", "utf-8")[1]), json.loads(run("json", encoding)[1])
    assert [one["location"] for one in told["findings"]] == [
        one["location"] for one in again["findings"]
    ]


@pytest.mark.parametrize("option", ["--sarif", "--junit", "--write-vex"])
def test_a_report_takes_no_place_but_that_of_an_earlier_one(tree: Path, option: str) -> None:
    (source,) = tree.glob("*.py")
    before = source.read_bytes()
    done = shell('"$@"', ".", option, source.name, cwd=tree)
    (told,) = done.stderr.splitlines()
    assert (done.returncode, source.read_bytes()) == (2, before)
    assert f"{option}: holds something else than an earlier report; expected" in told
    (tree / "empty").touch()
    for _ in range(2):
        assert shell('"$@"', source.name, option, "empty", cwd=tree).returncode in {0, 1}
    done = shell('"$@"', ".", option, "", cwd=tree)
    assert done.returncode == 2
    assert "an empty text names no file" in done.stderr


def test_files_and_folders_that_are_taken_for_each_other(tree: Path) -> None:
    (source,) = tree.glob("*.py")
    done = shell('"$@"', ".", "--within", source.name, cwd=tree)
    assert done.returncode == 2
    assert "--within: is a file; expected a folder" in done.stderr
    (tree / ".buttress-ignore.yaml").mkdir()
    done = shell('"$@"', ".", cwd=tree)
    assert done.returncode == 2
    assert ".buttress-ignore.yaml" in done.stderr
    assert "internal error" not in done.stderr
