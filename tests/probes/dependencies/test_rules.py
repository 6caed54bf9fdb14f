"""The rules: each finds its own bad examples and stays silent on the good ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.probes.dependencies.probe import PROBE, RULES
from buttress.protocols.inspection import InspectionContext
from buttress.provenance.dependencies.dependency import MAX_DEPENDENCIES
from buttress.rules.rule import Example, Rule
from tests.probes.dependencies.advisories import LEAKY, write

ALL = list(RULES.own.values())
LIMIT = "dependencies-not-searched"  # its example is too large for a file of rules
BAD = [(rule, one) for rule in ALL for one in rule.bad]
GOOD = [(rule, one) for rule in ALL for one in rule.good]


def found(folder: Path, example: Example) -> list[Finding]:
    database = write(folder / "osv", LEAKY)
    path = folder / "app" / example.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example.text, encoding="utf-8")
    probe = replace(PROBE, osv=database)
    return [
        one
        for one in probe.inspect(InspectionContext.at("app", path.parent))
        if isinstance(one, Finding)
    ]


@pytest.mark.parametrize(("rule", "example"), BAD, ids=lambda one: getattr(one, "id", None))
def test_bad_examples_are_found(tmp_path: Path, rule: Rule, example: Example) -> None:
    all_found = found(tmp_path, example)
    findings = [one for one in all_found if one.rule == rule.id]
    assert findings, [one.rule for one in all_found]
    for one in findings:
        assert "{it}" not in one.message
        assert one.message.endswith(".")


@pytest.mark.parametrize(("rule", "example"), GOOD, ids=lambda one: getattr(one, "id", None))
def test_good_examples_are_not(tmp_path: Path, rule: Rule, example: Example) -> None:
    assert rule.id not in [one.rule for one in found(tmp_path, example)]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_each_rule_is_complete(rule: Rule) -> None:
    assert rule.bad or rule.id == LIMIT
    assert rule.good
    assert rule.severity in SEVERITIES
    assert rule.references[0].startswith("CWE-")
    assert rule.remedy.endswith(".")


def test_what_stands_behind_the_limit_is_told(tmp_path: Path) -> None:
    many = "".join(f"name-{number}==1.0\n" for number in range(MAX_DEPENDENCIES))
    assert LIMIT not in {one.rule for one in found(tmp_path, Example("requirements.txt", many))}
    (one,) = (
        one
        for one in found(tmp_path, Example("requirements.txt", f"{many}leaky-models==1.1\n"))
        if one.rule == LIMIT
    )
    assert (one.severity, one.location) == ("medium", "requirements.txt:1")
    assert f"more than {MAX_DEPENDENCIES:,} dependencies" in one.message
