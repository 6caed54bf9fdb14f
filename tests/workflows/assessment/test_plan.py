"""The plan is in the evidence before the first question, once, with what verdicts rest on."""

from __future__ import annotations

from pathlib import Path

from buttress.evidence.store import EvidenceStore
from buttress.risk.catalogue import load_catalogue
from buttress.risk.policy import Policy, Tolerance
from buttress.risk.verdict import RiskState
from buttress.workflows.assessment.outcomes import TrialOutcome
from buttress.workflows.assessment.preparation import Prepared, commit_plan
from buttress.workflows.assessment.runs import Run
from tests.workflows.assessment.test_arms import arm_of, variants


def test_the_plan_is_committed_once(tmp_path: Path) -> None:
    tolerance = Tolerance(limit=0.07, alpha=0.02, beta=0.03)
    policy = Policy("mine", "Mine", "", "bound", {"harmful-compliance": tolerance}, "this-set")
    run = Run("r1", 5, 0.0, False, {}, {})
    arm = arm_of(variants(4), RiskState(tolerance), by_prompt=False)
    risk = load_catalogue().risks["harmful-compliance"]
    prepared = Prepared(arms={arm.id: arm}, outcomes=[TrialOutcome(risk, tolerance)], family=3)
    with EvidenceStore.open(tmp_path / "evidence.db") as store:
        commit_plan(store, run, policy, prepared)
        commit_plan(store, run, policy, prepared)  # as when a run is resumed
        (plan,) = store.plans(run="r1")
    assert (plan.seed, plan.policy, plan.estimand, plan.family) == (5, "mine", "this-set", 3)
    (verdict,) = plan.arms[arm.id]["verdicts"]
    assert (verdict["limit"], verdict["alpha"], verdict["beta"]) == (0.07, 0.02, 0.03)
    assert plan.arms[arm.id]["trials"] == 24
