"""``buttress report`` and ``buttress diff`` through the command line."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from buttress.cli import main as cli
from buttress.report import json
from tests.report.sample import build, sample


@pytest.fixture(autouse=True)
def only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "COMMANDS", ("report", "diff"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    json.write(sample(), tmp_path / "assessment.json")
    return tmp_path


@pytest.fixture
def worse(tmp_path: Path) -> Path:
    told = sample()
    told["findings"].append(told["findings"][0] | {"location": "another.bin@1"})
    folder = tmp_path / "worse"
    folder.mkdir()
    json.write(told, folder / "assessment.json")
    return folder


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ((), "report.html"),
        (("--format", "html"), "report.html"),
        (("--format", "sarif"), "findings.sarif"),
        (("--format", "json"), "assessment.json"),
    ],
)
def test_report_renders_again(
    out: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], file: str
) -> None:
    assert cli.main(["report", str(out), *arguments]) == 0
    assert capsys.readouterr().out.strip() == str(out / file)
    assert (out / file).stat().st_size > 0
    assert not list(out.glob(".*.part"))


def test_report_takes_a_file_and_writes_where_it_is_told(out: Path) -> None:
    target = out / "elsewhere.html"
    command = ["report", str(out / "assessment.json"), "--out", str(target)]
    assert cli.main(command) == 0
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_report_prints_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--schema"]) == 0
    schema = orjson.loads(capsys.readouterr().out)
    Draft202012Validator(schema).validate(sample())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", "no/such/out"], "no/such/out"),
        (["report", "OUT", "--format", "docx"], "one of html, json, sarif"),
        (["report", "OUT", "--out", "OUT"], "--out"),
        (["report", "OUT", "--out", "OUT/no/such/folder/report.html"], "--out"),
        (["diff", "no/such/a", "OUT"], "no/such/a"),
        (["diff", "OUT", "OUT/nothing.json"], "nothing.json"),
        (["diff", "OUT", "OUT", "--alpha", "1.5"], "--alpha"),
    ],
)
def test_mistakes_are_one_line(
    out: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    before = (out / "assessment.json").read_bytes()
    assert cli.main([argument.replace("OUT", str(out)) for argument in arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith("buttress: error: ")
    assert told.count("\n") == 1
    assert says in told
    assert (out / "assessment.json").read_bytes() == before


def test_diff_exit_codes(out: Path, worse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["diff", str(out), str(out)]) == 0
    assert capsys.readouterr().out.rstrip().endswith("No regression shown.")
    assert cli.main(["diff", str(out), str(worse)]) == 1
    told = capsys.readouterr().out
    assert "Regression: " in told.splitlines()[-1]
    assert "another.bin@1" in told
    assert cli.main(["diff", str(worse), str(out / "assessment.json")]) == 0


def test_diff_as_json(out: Path, worse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["diff", str(out), str(worse), "--json"]) == 1
    told = orjson.loads(capsys.readouterr().out)
    assert told["schema"] == "buttress-diff/1"
    assert told["regressions"] == 2
    (new,) = told["findings"]["new"]
    assert (new["location"], new["regression"]) == ("another.bin@1", True)
    assert {risk["risk"] for risk in told["risks"]} == {risk["id"] for risk in sample()["risks"]}


def test_diff_warns_where_it_compares_apples_with_pears(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    json.write(build(policy="strict"), folder / "assessment.json")
    cli.main(["diff", str(out), str(folder)])
    assert "Different policies" in " ".join(capsys.readouterr().out.split())
