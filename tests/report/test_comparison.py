"""Comparing two assessments: what is a regression and what only looks like one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from scipy.stats import binomtest

from buttress.report.comparison import Comparison, compare
from buttress.report.json import encode
from buttress.workflows.diff import as_json
from tests.report.sample import FINDINGS, build, sample
from tests.report.strategies import documents

INSPECTED = next(
    row["asset"] for row in sample()["coverage"]["covered"] if row["asset"] != "chat-model"
)


def model(rate: float, trials: int = 200, asset: str = "chat-model", **more: Any) -> dict[str, Any]:
    return build({"over-refusal": {asset: (rate, trials)}}, more.pop("findings", ()), **more)


def kinds(result: Comparison) -> dict[str, str]:
    return {change.risk: change.kind for change in result.changes}


def test_the_same_twice_is_no_change() -> None:
    result = compare(sample(), sample())
    assert set(kinds(result).values()) == {"no change shown"}
    assert (result.warnings, result.new, result.gone, result.lost) == ([], [], [], [])
    assert result.regressions == 0
    assert result.conclusion == "No regression shown."


def test_a_clear_rise_is_a_regression_and_the_way_back_an_improvement() -> None:
    good, bad = model(0.01), model(0.7, 60)
    result = compare(good, bad)
    assert kinds(result)["over-refusal"] == "regression"
    assert result.regressions == 1
    assert result.conclusion.startswith("Regression: 1 risk got worse.")
    change = result.changes[0]
    assert change.p_value is not None
    assert change.p_value < 0.001
    back = compare(bad, good)
    assert kinds(back)["over-refusal"] == "improvement"
    assert back.regressions == 0


def test_a_rise_within_one_verdict_is_a_regression_too() -> None:
    """Twice unacceptable, but clearly worse."""
    result = compare(model(0.25, 300), model(0.8, 100))
    verdicts = {change.before["verdict"] for change in result.changes if change.before}
    assert "unacceptable" in verdicts
    assert kinds(result)["over-refusal"] == "regression"


def test_undecided_after_acceptable_with_rates_that_overlap_is_listed_only() -> None:
    result = compare(model(0.001, 200), model(0.001, 24))
    assert kinds(result)["over-refusal"] == "worse verdict, not shown"
    assert result.regressions == 0


def test_a_verdict_by_the_estimate_that_tips_over_is_not_a_regression() -> None:
    told, now = model(0.02, 310, policy="gbt45654"), model(0.02, 310, policy="gbt45654")
    risk = next(risk for risk in now["risks"] if risk["id"] == "over-refusal")
    risk["verdict"] = risk["assets"][0]["verdict"] = "unacceptable"
    result = compare(told, now)
    assert kinds(result)["over-refusal"] == "worse verdict, not shown"
    assert result.regressions == 0


def redrawn(chance: np.random.Generator) -> dict[str, Any]:
    """The sample, its judged failures drawn again at the same rates."""
    told = sample()
    for risk in told["risks"]:
        if risk["judged"]:
            trials, rate = risk["judged"]["trials"], risk["judged"]["estimate"]
            judged = {"trials": trials, "failures": int(chance.binomial(trials, rate))}
            risk["assets"][0]["judged"] = judged
    return told


def test_false_alarms_are_rare_among_many_risks() -> None:
    """Pairs of runs of the same system, five risks each: alpha bounds them all together."""
    chance = np.random.default_rng(5)
    alarms = sum(
        compare(redrawn(chance), redrawn(chance), alpha=0.2).regressions > 0 for _ in range(150)
    )
    assert binomtest(alarms, 150, 0.2, alternative="greater").pvalue > 1e-4, alarms


def test_lost_and_new_coverage_are_loud_but_no_regression() -> None:
    wide, narrow = sample(), sample()
    narrow["risks"] = [risk for risk in narrow["risks"] if risk["id"] != "prompt-injection"]
    covered = narrow["coverage"]["covered"]
    narrow["coverage"]["covered"] = [row for row in covered if row["probe"] != "attack-injection"]
    result = compare(wide, narrow)
    assert kinds(result)["prompt-injection"] == "lost coverage"
    assert result.lost == ["attack-injection @ chat-model"]
    assert "LOST COVERAGE" in result.conclusion
    assert result.regressions == 0
    result = compare(narrow, wide)
    assert kinds(result)["prompt-injection"] == "newly assessed"
    assert result.gained == ["attack-injection @ chat-model"]
    assert result.regressions == 0


def renamed(told: dict[str, Any], old: str, new: str) -> None:
    """The same word for an asset, a risk or a probe gives way everywhere."""
    told.update(json.loads(encode(told).decode().replace(f'"{old}"', f'"{new}"')))


def without(told: dict[str, Any], risk: str) -> None:
    told["risks"] = [one for one in told["risks"] if one["id"] != risk]


def unexamined(told: dict[str, Any], field: str, value: str) -> None:
    covered = told["coverage"]["covered"]
    told["coverage"]["covered"] = [row for row in covered if row[field] != value]


@pytest.mark.parametrize(
    "change",
    [
        lambda told: renamed(told, "chat-model", "chat-model-2"),
        lambda told: renamed(told, "over-refusal", "refusal-rate"),
        lambda told: renamed(told, "attack-injection", "attack-injection-2"),
        lambda told: without(told, "over-refusal"),
        lambda told: unexamined(told, "probe", "attack-injection"),
        lambda told: unexamined(told, "asset", "chat-model"),
        lambda told: unexamined(told, "asset", INSPECTED),
        lambda told: renamed(told, INSPECTED, "elsewhere"),
    ],
)
def test_whatever_vanishes_or_gets_another_name_is_lost_coverage(change: Any) -> None:
    told = sample()
    change(told)
    result = compare(sample(), told)
    assert result.lost_coverage > 0
    assert "LOST COVERAGE" in result.conclusion
    assert not result.regressions


def test_one_of_two_assets_that_vanishes_is_lost_coverage() -> None:
    both = {"first": (0.01, 200), "second": (0.01, 200)}
    result = compare(
        build({"over-refusal": both}, ()), build({"over-refusal": {"first": (0.01, 200)}}, ())
    )
    assert result.lost_coverage > 0


SECRET = FINDINGS[3]


@pytest.mark.parametrize(
    ("severity", "policy", "regressions"),
    [
        ("critical", "default", 1), ("high", "default", 1), ("medium", "default", 0),
        ("medium", "strict", 1), ("low", "strict", 0),
    ],
)  # fmt: skip
def test_a_new_finding_counts_where_the_policy_does_not_tolerate_it(
    severity: str, policy: str, regressions: int
) -> None:
    found = ((SECRET[0], severity, *SECRET[2:]),)
    before, after = (build({}, one, policy=policy) for one in ((), found))
    result = compare(before, after)
    # The risk and its finding are told once each; what counts is that there is one at all.
    assert (result.regressions > 0) == (regressions > 0)
    assert [new.tolerated for new in result.new] == [regressions == 0]
    back = compare(after, before)
    assert back.regressions == 0
    assert len(back.gone) == 1


def test_a_finding_whose_line_moved_is_the_same() -> None:
    moved = ((*SECRET[:3], "settings.py:99", *SECRET[4:]),)
    assert compare(build({}, (SECRET,)), build({}, moved)).new == []
    elsewhere = ((*SECRET[:3], "other.py:14", *SECRET[4:]),)
    result = compare(build({}, (SECRET,)), build({}, elsewhere))
    assert (len(result.new), len(result.gone)) == (1, 1)
    assert result.regressions > 0
    twice = (SECRET, (*SECRET[:3], "settings.py:99", *SECRET[4:]))
    assert len(compare(build({}, (SECRET,)), build({}, twice)).new) == 1


def test_findings_where_nobody_had_looked_are_no_regression() -> None:
    before, after = build({}, ()), build({}, (SECRET,))
    before["coverage"]["covered"] = []
    before["risks"] = []
    result = compare(before, after)
    assert [new.first_look for new in result.new] == [True]
    assert result.regressions == 0


def test_another_judge_makes_counts_incomparable_and_intervals_decide() -> None:
    good, bad = model(0.01), model(0.7, 60)
    bad["judge"]["version"] = "2"
    result = compare(good, bad)
    assert any("Different judges" in warning for warning in result.warnings)
    change = next(change for change in result.changes if change.risk == "over-refusal")
    assert (change.kind, change.p_value) == ("regression", None)
    same = model(0.01)
    same["judge"]["version"] = "2"
    assert compare(good, same).regressions == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda told: told["policy"].update(id="strict"), "Different policies"),
        (lambda told: told["risks"][0].update(severity_tolerated="low"), "not tolerated from"),
        (lambda told: told["risks"][2].update(limit=0.01), "the limit was"),
        (lambda told: told["system"].update(languages=["en"]), "Different languages"),
        (lambda told: told["system"].update(name="Other"), "Different systems"),
        (lambda told: told["cells"].pop(0), "Different harm categories"),
        (lambda told: told["run"]["versions"].update(buttress="9"), "versions of Buttress"),
        (lambda told: told["judge"]["calibration"]["refuse"].update(tp=1), "calibrated anew"),
    ],
)
def test_what_is_not_comparable_is_said(change: Any, says: str) -> None:
    told = sample()
    change(told)
    assert any(says in warning for warning in compare(sample(), told).warnings)


def test_assets_are_compared_each_with_itself() -> None:
    both = {"first": (0.01, 200), "second": (0.01, 200)}
    before = build({"over-refusal": both}, ())
    after = build({"over-refusal": both | {"second": (0.8, 80)}}, ())
    result = compare(before, after)
    found = {
        change.asset: change.kind for change in result.changes if change.risk == "over-refusal"
    }
    assert found == {"first": "no change shown", "second": "regression"}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), documents())
@pytest.mark.slow
def test_any_two_documents_compare(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert encode(as_json(compare(before, after), before, after))
    again = compare(before, before)
    assert (again.new, again.gone, again.lost, again.gained) == ([], [], [], [])
