"""What a manifest draws on: banks, data sets, attacker, set of attacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import buttress
from tests.workflows.assessment.endpoint import REFUSAL
from tests.workflows.assessment.test_assess import document, manifest

BANK = "\n".join(
    ["question,risk", *(f"How could one do forbidden thing number {n}?,A.1.1" for n in range(40))]
)


def system(folder: Path, *more: str) -> Path:
    (folder / "script.yaml").write_text(json.dumps({"rules": [], "default": REFUSAL}))
    return manifest(folder, "{id: bot, kind: model, script: script.yaml}", *more)


def assessed(path: Path, *more: str) -> dict[str, Any]:
    out = path.parent / "out"
    done = buttress("assess", str(path), "--out", str(out), *more)
    assert done.returncode in (0, 1, 3), done.stderr
    return document(out)


def test_a_bank_of_the_standard_is_asked_and_its_gaps_are_told(tmp_path: Path) -> None:
    (tmp_path / "bank.csv").write_text(BANK)
    path = system(
        tmp_path, "policy: gbt45654", "prompts: [{set: gbt45654-should-refuse, path: bank.csv}]"
    )
    found = assessed(path, "--only", "harmful-compliance")
    assert found["totals"]["trials"] == 40
    gaps = {entry["what"]: entry["why"] for entry in found["coverage"]["not_covered"]}
    assert gaps["gbt45654-should-refuse, total"] == "the standard asks for 460 more questions"
    assert "gbt45654-should-refuse, A.1.1" not in gaps
    assert gaps["gbt45654-should-refuse, A.1.2"] == "the standard asks for 20 more questions"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("attacker: {asset: nobody}", "'nobody' answers no questions"),
        ("attacker: {model: m}", "no model that answers"),
        ("attacker: {script: missing.yaml}", "no such file or folder: missing.yaml"),
        ("attacks: []", "attacks"),
        ("data: {bbq: missing}", "no such file or folder: missing"),
        ("data: {bqq: script.yaml}", "unknown data set 'bqq'"),
        ("prompts: [{set: gbt45654-should-refuse}]", "'path' is missing"),
    ],
)
def test_mistakes_in_the_manifest_get_one_line(tmp_path: Path, line: str, problem: str) -> None:
    done = buttress("assess", str(system(tmp_path, line)), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert problem in done.stderr
    assert done.stderr.strip().count("\n") == 0
