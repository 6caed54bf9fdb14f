"""Every rule finds its bad examples and not its good ones, alone and among all others."""

from __future__ import annotations

import re

import pytest

from buttress.probes.source.code.matcher import RuleMatcher
from buttress.probes.source.code.pack_rules import CODE_RULES
from buttress.probes.source.code.rulebook import CODE, CodeRule
from tests.probes.source.code.examine import found, matcher

BAD = [(rule, one.text) for rule in CODE.own.values() for one in rule.bad]
GOOD = [(rule, one.text) for rule in CODE.own.values() for one in rule.good]


def test_there_are_enough_of_them_and_their_examples_hold() -> None:
    assert CODE_RULES.check_own() >= 60


@pytest.mark.parametrize(("rule", "text"), BAD, ids=lambda one: getattr(one, "id", ""))
def test_bad_examples_are_found(rule: CodeRule, text: str) -> None:
    assert rule.id in found(text)
    assert any(hit.rule is rule for hit in RuleMatcher((rule,)).examine_text(text).hits)


@pytest.mark.parametrize(("rule", "text"), GOOD, ids=lambda one: getattr(one, "id", ""))
def test_good_examples_are_clean_of_everything_grave(rule: CodeRule, text: str) -> None:
    # Not only of this rule: what a remedy recommends must not be a finding of another.
    grave = [
        hit.rule.id
        for hit in matcher().examine_text(text).hits
        if hit.rule.severity in ("high", "critical") or hit.rule is rule
    ]
    assert grave == []


@pytest.mark.parametrize("rule", CODE.own.values(), ids=lambda rule: rule.id)
def test_what_a_rule_tells(rule: CodeRule) -> None:
    assert any(re.fullmatch(r"CWE-[0-9]+", one) for one in rule.references)
    for one in rule.references:
        assert re.fullmatch(r"CWE-[0-9]+|LLM(0[1-9]|10)|AML\.T[0-9]{4}(\.[0-9]{3})?", one)
    assert rule.message.endswith(".")
    assert rule.remedy.endswith(".")
    tainted = any(one.taint for pattern in rule.match for _, some in pattern.where for one in some)
    assert tainted or "{source}" not in rule.message
