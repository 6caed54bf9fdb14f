"""Every rule finds its bad examples and none of its good ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buttress.evidence.findings import Finding
from buttress.probes.client.checks import CHECKS
from buttress.probes.client.checks import RULES as KIND
from buttress.probes.client.probe import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.rules.rule import Example
from buttress.rules.subject import Subject, SubjectMatcher, at_line
from buttress.rules.subject_rule import SubjectRule

RULES = KIND.own


def found(folder: Path, rule: SubjectRule, example: Example) -> set[str]:
    if rule.about in (("package",), ("android.call",)):  # what only packages have
        text = example.text
        value = json.loads(text) if rule.about == ("package",) else text
        subject = Subject(rule.about[0], value, at_line(1))
        return {issue.rule for issue in SubjectMatcher(RULES.values(), CHECKS).issues(subject)}
    path = folder / example.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example.text, encoding="utf-8")
    return {
        one.rule
        for one in PROBE.inspect(InspectionContext.at("app", folder))
        if isinstance(one, Finding)
    }


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_examples(rule: SubjectRule, tmp_path: Path) -> None:
    assert rule.bad
    assert rule.good
    for number, example in enumerate(rule.bad):
        assert rule.id in found(tmp_path / f"bad{number}", rule, example), example.text
    for number, example in enumerate(rule.good):
        assert rule.id not in found(tmp_path / f"good{number}", rule, example), example.text
