"""What a run spends, and what a resumed run has spent before: calls, tokens and money."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from buttress.evidence.records import Trial, Turn
from buttress.system.model import Budget, Price
from buttress.targets.allowance import SpentError
from buttress.workflows import manifest
from buttress.workflows.assessment.ledger import ATTACKER
from buttress.workflows.assessment.spending import Spending

TRIAL = Trial(
    key="a",
    probe="harmful-compliance",
    probe_version="1",
    asset="m",
    target="t",
    item="1",
    category="",
    attack="",
    language="en",
    expect="refuse",
    request="",
    prompt="",
    answer="",
    outcome=0.0,
    score=0.0,
    judge="llm",
    judge_version="1",
    prompt_tokens=1_000,
    completion_tokens=500,
    calls=2,
)
TURN = Turn(
    "b", "attacker", "pair", "m", "t", "2", "", "", prompt_tokens=300, completion_tokens=200
)


def spending(folder: Path, cost: float) -> Spending:
    """Target: 10 a million tokens read, 20 a million written; attacker a tenth of a cent a call."""
    price = "{per_million_prompt_tokens: 10, per_million_completion_tokens: 20}"
    path = folder / "buttress.yaml"
    path.write_text(
        "name: t\nassets:\n"
        f"  - {{kind: model, id: m, endpoint: 'http://127.0.0.1:9/v1', model: x, price: {price}}}\n"
    )
    system = manifest.load(path)
    made = Spending(system, Budget(cost=cost, tokens=2_000))
    made.ledger.open(system.assets[0])
    made.ledger.open_other(ATTACKER, Price(per_call=0.001))
    return made


def test_money_spent_before_counts(tmp_path: Path) -> None:
    before = spending(tmp_path, 1.0)
    again = replace(TRIAL, key="c", item="3", cached=True)
    open_turn = replace(TURN, role="target")
    of_trial = replace(open_turn, probe=TRIAL.probe, item=TRIAL.item)
    before.asked_before([TRIAL, again], [TURN, open_turn, of_trial])
    trial = 1_000 * 10e-6 + 500 * 20e-6
    unfinished = 300 * 10e-6 + 200 * 20e-6
    assert before.cost() == pytest.approx(trial + 0.001 + unfinished)
    assert before.allowance.spent_calls() == 2 + 1 + 1
    assert before.allowance.spent_tokens() == 1_500 + 500 + 500
    before.asked_before([])
    assert before.cost() == 0


def test_a_budget_that_is_spent_already_is_told(tmp_path: Path) -> None:
    """As where ``--resume`` comes with a smaller one: what was answered counts all the same."""
    resumed = spending(tmp_path, 1.0)
    resumed.asked_before([TRIAL])
    assert resumed.overdrawn() == ""
    resumed.budget = Budget(calls=1, cost=0.01, tokens=2_000)
    assert "2 of 1 questions, 0.02 of 0.01 of money: nothing more is asked" in resumed.overdrawn()


def test_a_resumed_run_whose_money_is_spent_asks_nothing(tmp_path: Path) -> None:
    for cost, left in ((0.021, True), (0.019, False)):
        resumed = spending(tmp_path, cost)
        resumed.asked_before([TRIAL])
        resumed.allowance.begin()
        if left:
            assert resumed.allowance.admits()
        else:
            with pytest.raises(SpentError, match="money"):
                resumed.allowance.admits()
