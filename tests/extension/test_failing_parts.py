"""A plugin's stage, report writer or kind of pack contents that fails is named; exit code 2."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from buttress.errors import InputError, MissingExtraError, PluginError

PLUGIN = """
from buttress.data.stage import Decision, Decisions, Removal
from buttress.errors import InputError


class Records:
    def apply(self, records):
        return self.outcomes(records)


class Raising(Records):
    def outcomes(self, records):
        raise LookupError("in apply")


class Leaving(Records):
    def outcomes(self, records):
        raise SystemExit(0)


class Short(Records):
    def outcomes(self, records):
        return []


class Odd(Records):
    def outcomes(self, records):
        return [True] * len(records)


class Refusing(Records):
    def outcomes(self, records):
        raise InputError("is not what I take", file="mine.txt")


class Unmade:
    def __init__(self):
        raise ZeroDivisionError("when it is made")


class Corpus:
    def observe(self, records, folder):
        pass

    def decide(self, folders):
        return Decisions(iter([Decision(0, 99, Removal("r", "why"))]))


class Observing(Corpus):
    def observe(self, records, folder):
        raise LookupError("in observe")


class Deciding(Corpus):
    def decide(self, folders):
        def decisions():
            raise LookupError("in decide")
            yield
        return Decisions(decisions())


def write(document, path):
    raise LookupError("in the writer")


class Kind:
    def check(self, path, pack, beside):
        raise LookupError("in check")


KIND = Kind()
"""
STAGES = {
    "raising": ("Raising", "LookupError: in apply"),
    "leaving": ("Leaving", "SystemExit: 0"),
    "short": ("Short", "ValueError"),
    "odd": ("Odd", "TypeError: it gave bool in place of Removal, RecordChange or None"),
    "unmade": ("Unmade", "ZeroDivisionError: when it is made"),
    "outside": ("Corpus", "IndexError"),
    "observing": ("Observing", "LookupError: in observe"),
    "deciding": ("Deciding", "LookupError: in decide"),
}
POINTS = "\n".join(
    [
        "[buttress.data_stages]",
        *(f"{name} = failing_parts:{made}" for name, (made, _) in STAGES.items()),
        "refusing = failing_parts:Refusing",
        "[buttress.reports]",
        "broken = failing_parts:write",
        "[buttress.pack_contents]",
        "broken-rules = failing_parts:KIND",
        "",
    ]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    about = tmp_path / "site/failing_parts-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "entry_points.txt").write_text(POINTS)
    (about / "METADATA").write_text("Name: failing_parts\nVersion: 1.0\n")
    (tmp_path / "site/failing_parts.py").write_text(PLUGIN)
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    (tmp_path / "b.jsonl").write_text('{"text": "three"}\n')
    return tmp_path


def buttress(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "buttress", *arguments],
        capture_output=True, text=True, check=False, timeout=300, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "site"), "BUTTRESS_DEBUG": "0"},
    )  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_fails_is_named(folder: Path, stage: str) -> None:
    done = buttress(folder, "data", "run", "a.jsonl", "--stage", stage, "--out", "out")
    assert done.returncode == 2, done.stderr
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("buttress: ")]
    assert f"data stage '{stage}' failed ({STAGES[stage][1]}" in line
    assert line.endswith("; set BUTTRESS_DEBUG=1 to see where")


def test_a_stage_that_fails_in_a_worker_process_is_named(folder: Path) -> None:
    done = buttress(
        folder, "data", "run", "a.jsonl", "b.jsonl", "--stage", "raising", "--workers", "2",
        "--out", "out",
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "data stage 'raising' failed (LookupError: in apply)" in done.stderr


def test_what_a_stage_says_of_the_input_is_told_as_it_says_it(folder: Path) -> None:
    done = buttress(folder, "data", "run", "a.jsonl", "--stage", "refusing", "--out", "out")
    assert (done.returncode, "mine.txt: is not what I take" in done.stderr) == (2, True)


def test_a_report_writer_that_fails_is_named(folder: Path) -> None:
    (folder / "script.yaml").write_text("default: I'm sorry, but I can't help with that.\n")
    (folder / "buttress.yaml").write_text(
        "name: bot\nbudget: {calls: 4}\nassets:\n  - {kind: model, script: script.yaml}\n"
    )
    assert buttress(folder, "assess", ".", "--out", "out").returncode in (0, 1, 3)
    done = buttress(folder, "report", "out", "--format", "broken")
    assert done.returncode == 2
    assert "report 'broken' failed (LookupError: in the writer)" in done.stderr
    assert not (folder / "out/report.broken").exists()


def test_a_kind_of_pack_contents_that_fails_is_named(folder: Path) -> None:
    pack = folder / "pack"
    pack.mkdir()
    (pack / "rules.yaml").write_text("rules: []\n")
    (pack / "pack.yaml").write_text(
        "format: buttress-pack/1\nid: mine\nversion: '1.0.0'\ntitle: Mine\nlicence: Apache-2.0\n"
        "authors: [Somebody]\nrequires: '>=0.1.0'\n"
        "contents:\n  - {kind: broken-rules, path: rules.yaml, sha256: ''}\n"
    )
    assert buttress(folder, "pack", "seal", "pack").returncode == 0
    done = buttress(folder, "pack", "verify", "pack")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "pack content 'broken-rules' failed (LookupError: in check)" in done.stderr


@pytest.mark.parametrize(
    "error",
    [
        InputError("wrong", file="a", line=3, field="b", expected="c"),
        MissingExtraError("training", "tune"),
        PluginError("target 'x'", KeyError("y")),
    ],
    ids=["input", "extra", "plugin"],
)
def test_errors_pass_from_process_to_process(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
