"""What is told: text, JSON, SARIF, JUnit, annotations."""

from __future__ import annotations

import json
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.places import LocatedFinding
from buttress.report import junit
from buttress.triage import annotations
from buttress.triage.filtering import FilteredFindings
from tests.probes.source.samples import sample
from tests.workflows.scan.command import OTHER, STRIPE, scan, secrets


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a,b.py").write_text(f"\nkey = '{STRIPE}'\n")
    (tmp_path / "medium.py").write_text(sample('SESSION_SECRET = "{base62:32}"', 0) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_annotations(tree: Path) -> None:
    done = scan(".", "--only", "secrets", "--format", "github")
    first, second, last = done.out.splitlines()
    assert first.startswith("::error file=a%2Cb.py,line=2,title=critical%3A stripe-key::")
    assert second.startswith("::warning file=medium.py,line=1,title=medium%3A secret-literal::")
    assert last.endswith("::1 critical, 1 medium.")
    assert done.code == 1


def test_sarif_on_standard_output(tree: Path) -> None:
    done = scan(".", "--only", "secrets", "--format", "sarif")
    results = json.loads(done.out)["runs"][0]["results"]
    assert [one["ruleId"] for one in results] == ["stripe-key", "secret-literal"]


def test_junit(tree: Path) -> None:
    secrets(".", "--write-baseline", "known.json")
    (tree / "new.py").write_text(f"key = '{OTHER}'\n")
    (tree / "more.py").write_text(sample('SESSION_SECRET = "{base62:32}"', 3) + "\n")
    done = secrets(".", "--baseline", "known.json", "--junit", "out.xml", "--fail-on", "high")
    assert done.code == 1
    top = Xml.parse(tree / "out.xml").getroot()
    (suite,) = top
    assert (top.get("tests"), top.get("failures"), top.get("skipped")) == ("4", "1", "2")
    (failed,) = [one for one in suite if one.find("failure") is not None]
    assert (failed.get("file"), failed.get("line")) == ("new.py", "1")
    assert {one.get("file") for one in suite if one.find("skipped") is not None} == {
        "a,b.py", "medium.py",
    }  # fmt: skip


def test_a_probe_without_findings_is_a_case_that_passed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    assert secrets(tmp_path, "--junit", tmp_path / "out.xml").code == 0
    (suite,) = Xml.parse(tmp_path / "out.xml").getroot()
    assert [(one.get("name"), len(one)) for one in suite] == [("no findings", 0)]


TEXT = st.text(st.characters(codec=None), max_size=30)


@given(TEXT, TEXT, st.none() | st.integers(1, 10**6))
def test_any_text_makes_valid_xml_and_one_line(
    tmp_path_factory: pytest.TempPathFactory, path: str, message: str, line: int | None
) -> None:
    made = Finding("rule", "high", "a", path, message, "", probe="secrets")
    one = LocatedFinding(made, f"/{path}", "!member", line)
    file = tmp_path_factory.mktemp("j") / "a.xml"
    seen = [Inspection("secrets", "1", "a", 1, 1)]
    junit.write(FilteredFindings(counting=[one]), seen, lambda _: True, file)
    assert len(Xml.parse(file).getroot()) == 1
    for text in annotations.commands([one], "\n::error::x"):
        assert text.isprintable()
        assert text.startswith(("::error file=", "::notice title="))


@pytest.mark.parametrize("option", ["--sarif", "--junit", "--write-vex"])
def test_a_file_that_can_not_be_written(tree: Path, option: str) -> None:
    done = secrets(".", option, "no/such/folder/out")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert option in done.err
