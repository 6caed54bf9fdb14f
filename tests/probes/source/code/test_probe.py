"""The probe on files: places, severities, comments, and what it can't read."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.files.python_modules import MAX_BYTES
from buttress.probes.source.code.probe import MAX_FINDINGS, PROBE
from buttress.protocols.probe import InspectionProbe
from tests.probes.source.code.examine import inspect

BAD = "import pickle\nx = pickle.load(f)\n"


def test_a_folder(tmp_path: Path) -> None:
    assert isinstance(PROBE, InspectionProbe)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text(BAD, encoding="utf-8")
    (tmp_path / "serve").write_text("#!/usr/bin/env python3\n" + BAD, encoding="utf-8")
    (tmp_path / "notes.txt").write_text(BAD, encoding="utf-8")
    (tmp_path / "script").write_text("#!/bin/sh\nimport pickle; pickle.load(f)\n", encoding="utf-8")
    findings, inspection = inspect(tmp_path)
    assert [one.location for one in findings] == ["serve:3", "src/a.py:2"]
    assert inspection.files == 2
    (first, _) = findings
    assert (first.rule, first.severity, first.asset) == ("pickle-load", "medium", "app")
    assert first.message == "pickle.load lets the data run code."
    assert first.proof == "x = pickle.load(f)"
    assert "CWE-502" in first.references


def test_tests_and_examples_count_less(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text(
        BAD
        + "import torch\ntorch.load(model_path, weights_only=False)\ndef g(n):\n    eval(f'{n}')\n",
        encoding="utf-8",
    )
    findings, _ = inspect(tmp_path)
    assert {one.rule: one.severity for one in findings} == {
        "pickle-load": "info",
        "torch-load": "low",
    }


@pytest.mark.parametrize(
    ("line", "ignored"),
    [
        ("x = pickle.load(f)  # buttress: allow pickle-load made by our own job", True),
        (
            ("# buttress: allow torch-load, pickle-load made by our own job\nx = pickle.load(f)"),
            True,
        ),
        ("x = pickle.load(  # buttress: allow pickle-load: signed\n    f)", True),
        ("x = pickle.load(\n    f)  # buttress: allow pickle-load signed", True),
        ("x = pickle.load(f)  # buttress: allow pickle-load", False),
        ("x = pickle.load(f)  # buttress: allow torch-load made by our own job", False),
        ("y = 1  # buttress: allow pickle-load made by our own job\nx = pickle.load(f)", False),
        ('x = "# buttress: allow pickle-load yes really"; pickle.load(f)', False),
        ("x = '\\'#'; pickle.load(f)  # buttress: allow pickle-load it is ours", True),
        ("x = pickle.load(f)  # buttress: ignore made by our own job", False),
    ],
)
def test_comments(tmp_path: Path, line: str, ignored: bool) -> None:
    path = tmp_path / "a.py"
    path.write_text(f"import pickle\n{line}\n", encoding="utf-8")
    findings, inspection = inspect(path)
    assert (findings == []) is ignored
    assert ("1 findings of pickle-load ignored by comments" in inspection.skipped) is ignored
    if ignored:
        assert any("ignored by a comment: " in note for note in inspection.skipped)
    elif "load]" in line and "torch" not in line and line.startswith("x = p"):
        assert "gives no reason" in findings[0].message


def test_a_trace_and_no_secret_in_the_proof(tmp_path: Path) -> None:
    key = "sk_live_" + "Zq7Lm2Xv9Tb4Rw8Ky3Pn6Hd1"
    path = tmp_path / "a.py"
    path.write_text(
        f"from flask import request\nx = request.args['a']\n\neval(x + '{key}')\n", encoding="utf-8"
    )
    findings, _ = inspect(path)
    (finding,) = [one for one in findings if one.rule == "code-injection"]
    assert finding.location == "a.py:4"
    assert finding.message == "eval runs a web request as code."
    assert finding.proof.endswith("← line 2: flask.request.args")
    assert "Zq7Lm2Xv9" not in finding.proof


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"import pickle\npickle.load(f)\nprint 'old'\n", "by which it is read: line 3"),
        (b"import pickle\npickle.load(" + b"(" * 5_000, "by which it is read"),
        (b"import pickle\npickle.load(" + b"-" * 20_000 + b"1)", "too "),
        (b"import pickle\npickle.load(f)\nx = " + b"[" * 150 + b"]" * 150, "nested too deeply"),
        (b"import pickle\npickle.load(f)\n#" + b"x" * MAX_BYTES, "larger than"),
    ],
)
def test_what_is_not_read_is_told(tmp_path: Path, data: bytes, note: str) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    _, inspection = inspect(path)
    assert any(note in one for one in inspection.skipped), inspection.skipped


def test_newer_python_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "from flask import request\nimport os\ntype Name = str\n"
        "def run[T](given: T) -> None:\n"
        '    try:\n        os.system(f"ls {given["folder"]}")\n'
        "    except OSError, ValueError:\n        pass\n"
        "run(request.args)\n"
    )
    findings, inspection = inspect(path)
    assert [(one.rule, one.location) for one in findings] == [("shell-injection", "a.py:6")]
    assert not any("by which it is read" in one for one in inspection.skipped)


def test_what_lies_before_too_deep_an_expression_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(BAD + "y = " + "f(" * 120 + ")" * 120 + f"\n{BAD}", encoding="utf-8")
    findings, inspection = inspect(path)
    assert [one.location for one in findings] == ["a.py:2", "a.py:5"]
    assert any("too deeply" in one for one in inspection.skipped)


def test_long_chains_are_followed_to_their_end(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    chains = [
        "x = " + "a + " * 2_000 + "pickle.load(f)",
        "x = y" + ".a" * 2_000 + "\npickle.load(f)",
        "x = a" + ".b()" * 80 + ".c(pickle.load(f))",
        "if a: pass\n" + "elif b: pass\n" * 1_500 + "else:\n    pickle.load(f)",
        "pickle.load(f)\n" * 3,
    ]
    for chain in chains:
        path.write_text(f"import pickle\n{chain}\n", encoding="utf-8")
        findings, _ = inspect(path)
        assert {one.rule for one in findings} == {"pickle-load"}, chain[:40]


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    text = f"# -*- coding: {{}} -*-\ns = '模型'\n{BAD}"
    for name, encoding in (("gbk", "gbk"), ("utf-8", "utf-8-sig"), ("unheard-of", "gbk")):
        path.write_bytes(text.format(name).encode(encoding))
        findings, _ = inspect(path)
        assert [one.location for one in findings] == ["a.py:4"]


def test_many_findings_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("import pickle\n" + "pickle.load(f)\n" * (MAX_FINDINGS + 5), encoding="utf-8")
    findings, inspection = inspect(path)
    assert len(findings) == MAX_FINDINGS
    assert any(f"more than {MAX_FINDINGS} findings" in one for one in inspection.skipped)


def test_a_large_file_is_a_finding_where_rules_could_match(tmp_path: Path) -> None:
    padding = "# a line that says nothing\n" * (MAX_BYTES // 20)
    (tmp_path / "hidden.py").write_text(f"{padding}{BAD}", encoding="utf-8")
    (tmp_path / "words.py").write_text("a b\n" * 100_000 + BAD, encoding="utf-8")
    (tmp_path / "table.py").write_text(f"X = [\n{'    1, 2, 3,' * 200_000}]\n", encoding="utf-8")
    findings, inspection = inspect(tmp_path)
    told = {(one.rule, one.severity, one.location) for one in findings}
    assert told == {
        ("code-not-searched", "medium", "hidden.py:1"),
        ("code-not-searched", "medium", "words.py:1"),
    }
    assert len(inspection.unread) == 2
