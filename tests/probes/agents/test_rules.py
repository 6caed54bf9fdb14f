"""The rules: each finds its own bad examples and stays silent on the good ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.probes.agents.checks import CHECKS, RULES
from buttress.probes.agents.probe import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.rules.rule import Example, Rule

ALL = list(RULES.own.values())
BAD = [(rule, one) for rule in ALL for one in rule.bad]
GOOD = [(rule, one) for rule in ALL for one in rule.good]


def found(folder: Path, example: Example) -> list[Finding]:
    path = folder / example.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example.text, encoding="utf-8")
    if path.suffix == ".pyc":  # looked at in the folders of skills alone
        (folder / "SKILL.md").write_text("---\nname: a\ndescription: b.\n---\n", encoding="utf-8")
    return [
        one
        for one in PROBE.inspect(InspectionContext.at("app", folder))
        if isinstance(one, Finding)
    ]


@pytest.mark.parametrize(("rule", "example"), BAD, ids=lambda one: getattr(one, "id", None))
def test_bad_examples_are_found(tmp_path: Path, rule: Rule, example: Example) -> None:
    all_found = found(tmp_path, example)
    findings = [one for one in all_found if one.rule == rule.id]
    assert findings, [one.rule for one in all_found]
    for one in findings:
        assert "{it}" not in one.message
        assert all(sign.isprintable() for sign in one.message + one.proof)
        assert 1 <= int(one.location.rpartition(":")[2]) <= example.text.count("\n") + 1


@pytest.mark.parametrize(("rule", "example"), GOOD, ids=lambda one: getattr(one, "id", None))
def test_good_examples_are_not(tmp_path: Path, rule: Rule, example: Example) -> None:
    assert rule.id not in [one.rule for one in found(tmp_path, example)]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_each_rule_is_complete(rule: Rule) -> None:
    assert rule.bad
    assert rule.good
    assert rule.about
    assert bool(rule.check) + bool(rule.pattern or rule.terms) == 1
    assert rule.severity in SEVERITIES
    assert rule.references[0].startswith("CWE-")
    assert rule.remedy.endswith(".")


def test_checks_are_all_used() -> None:
    assert {rule.check for rule in ALL if rule.check} == set(CHECKS)
