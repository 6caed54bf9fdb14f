"""What arms take and tell: prompts with their trials, missing answers, shared errors."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import groupby
from typing import Any, cast

import numpy as np
import pytest

from buttress.evidence.records import Label, Trial
from buttress.labelling.estimate import corrected_rate
from buttress.labelling.forecast import forecast
from buttress.labelling.sample import Sample, population
from buttress.probes.behaviour.harmful_compliance import PROBE
from buttress.protocols.judge import Judgement
from buttress.protocols.probe import TrialSpec
from buttress.risk.catalogue import load_catalogue
from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.system.model import Asset
from buttress.workflows.assessment.arms import Arm, observations
from buttress.workflows.assessment.outcomes import TrialOutcome
from tests.trials.parts import spec

ASSET = Asset("bot", "model", "script")
SIX = 6


def variants(prompts: int, each: int = SIX) -> list[TrialSpec]:
    return [
        replace(
            spec(number), item=f"p{number // each}/v{number % each}", cluster=f"p{number // each}"
        )
        for number in range(prompts * each)
    ]


def trial(asked: TrialSpec, outcome: float, *, abstained: bool = False) -> Trial:
    return Trial(
        key=asked.item, probe=asked.probe, probe_version="1", asset="bot", target="t",
        item=asked.item, category=asked.category, attack=asked.attack, language="en",
        expect="refuse", request="q", prompt="q", answer="a", outcome=outcome, score=outcome,
        judge="j", judge_version="1", abstained=abstained, cluster=asked.cluster,
    )  # fmt: skip


def arm_of(specs: list[TrialSpec], state: RiskState, *, by_prompt: bool) -> Arm:
    nobody = cast(Any, None)
    return Arm(PROBE, ASSET, nobody, iter(specs), len(specs), by_prompt, states=[state])


def test_failures_that_the_judge_is_not_certain_of_are_held_open() -> None:
    """They count for the estimate and the upper bound; a check that is exact is always certain."""
    exact = replace(spec(3), check=lambda answer: Judgement(1.0, 1.0))
    asked = [spec(0), spec(1), spec(2), exact]
    scores = (0.9, 0.7, 0.1, 0.1)
    came = [replace(trial(a, 1.0), score=b) for a, b in zip(asked, scores, strict=True)]
    came[2] = replace(came[2], outcome=0.0)
    seen = observations(asked, came, by_prompt=False, certain_score=0.8)
    assert [one.low for one in seen] == [one.high for one in seen] == [1.0, 1.0, 0.0, 1.0]
    assert [one.certain for one in seen] == [1.0, 0.0, 0.0, 1.0]
    together = [replace(one, cluster="p") for one in asked]
    mean = observations(together, came, by_prompt=True, certain_score=0.8)
    assert [(one.low, one.high, one.certain) for one in mean] == [(0.75, 0.75, 0.5)]
    plain = observations(asked, came, by_prompt=False)
    assert [one.certain for one in plain] == [one.low for one in plain]


def test_while_prompts_are_many_each_is_asked_once() -> None:
    state = RiskState(Tolerance(limit=0.15))
    arm = arm_of(variants(300), state, by_prompt=True)
    assert arm.prompts == 300
    asked = arm.take(60)
    assert len({one.prompt_id for one in asked}) == 60
    arm.observe(asked, [trial(one, 0.0) for one in asked])
    assert state.trials == 60
    assert arm.design.effect == 1.0


def test_close_to_the_limit_with_few_prompts_all_trials_of_each_are_asked() -> None:
    state = RiskState(Tolerance(limit=0.15))
    state.update([1.0] * 8 + [0.0] * 62)
    arm = arm_of(variants(60), state, by_prompt=True)
    asked = arm.take(20)
    assert [one.prompt_id for one in asked] == ["p0"] * 6 + ["p1"] * 6 + ["p2"] * 6
    rng = np.random.default_rng(0)
    arm.observe(asked, [trial(one, float(rng.random() < 0.5)) for one in asked])
    assert state.trials == 73  # a prompt is one observation, however many trials it has


def test_a_prompt_that_was_begun_never_comes_again() -> None:
    """Else how often it is asked could depend on what it showed."""
    state = RiskState(Tolerance(limit=0.15))
    again = [*variants(20), *variants(20)]
    arm = arm_of(again, state, by_prompt=True)
    asked: list[TrialSpec] = []
    while batch := arm.take(7):
        asked += batch
    runs = [name for name, _ in groupby(one.prompt_id for one in asked)]
    assert len(runs) == len(set(runs)) == 20
    assert len({one.item for one in asked}) == len(asked)
    assert arm.available == 0


def test_one_by_one_everything_is_asked() -> None:
    state = RiskState(Tolerance(limit=0.15), finite=True, size=120)
    arm = arm_of(variants(20), state, by_prompt=False)
    asked = arm.take(500)
    arm.observe(asked, [trial(one, 0.0) for one in asked])
    assert (len(asked), state.trials, state.high) == (120, 120, pytest.approx(0.0))
    assert arm.design.effect == 1.0  # nothing varies, so nothing correlates


def test_no_answer_and_no_judgement_count_as_either() -> None:
    """Of a prompt's four trials one failed, one has no answer, one the judge abstains on."""
    asked = variants(2, 4)
    told = [
        trial(asked[0], 1.0), trial(asked[1], 0.0), trial(asked[2], 0.5, abstained=True),
        *[trial(one, 0.0) for one in asked[4:]],
    ]  # fmt: skip
    first, second = observations(asked, told, by_prompt=True)
    assert (first.low, first.high) == (0.25, 0.75)
    assert (second.low, second.high) == (0.0, 0.0)
    single = observations(asked, told, by_prompt=False)
    assert [(one.low, one.high) for one in single[:4]] == [(1, 1), (0, 0), (0, 1), (0, 1)]


def test_labels_share_beta_among_all_verdicts_exactly() -> None:
    """Two assets, alpha ≠ beta: the lower bound has beta / 2, the upper bound all of alpha."""
    tolerance = Tolerance(limit=0.1, alpha=0.08, beta=0.02)
    outcome = TrialOutcome(load_catalogue().risks["harmful-compliance"], tolerance, family=2)
    rng = np.random.default_rng(4)
    asked = [trial(one, float(rng.random() < 0.3)) for one in variants(120, 1)]
    labels = [Label(one.key, one.probe, "bot", one.item, one.outcome, "ann") for one in asked[:60]]
    outcome.take_in_labels("bot", asked, labels)
    right = corrected_rate(asked, labels, alpha_low=0.01, alpha_high=0.08)
    whole = corrected_rate(asked, labels, alpha_low=0.02, alpha_high=0.08)
    assert outcome.labelled["bot"] == right
    assert right.system.low < whole.system.low
    assert right.system.high == whole.system.high


def test_the_forecast_of_labels_shares_beta_too() -> None:
    """The same figures in what more labels would bring."""
    tolerance = Tolerance(limit=0.1, alpha=0.08, beta=0.02)
    risk = load_catalogue().risks["harmful-compliance"]
    outcome = TrialOutcome(risk, tolerance, {"bot": RiskState(tolerance)}, family=2)
    rng = np.random.default_rng(4)
    asked = [trial(one, float(rng.random() < 0.3)) for one in variants(120, 1)]
    outcome.look_ahead(asked, [], seed=7)
    sample = Sample(population(asked), [])
    right, whole = (forecast(sample, beta, 0.08, width=1.0, seed=7) for beta in (0.01, 0.02))
    assert outcome.forecast == right != whole


def test_the_family_divides_beta_and_never_alpha() -> None:
    """Exactly: thresholds on the log wealth are -log(beta / 5) and -log(alpha)."""
    state = RiskState(Tolerance(limit=0.2, alpha=0.04, beta=0.03), family=5)
    assert state.judged.alpha_low == pytest.approx(0.006)
    assert state.judged.alpha_high == 0.04
    few = next(n for n in range(1, 50) if math.log(1 / 0.2) * n > -math.log(0.006) + 2)
    state.update([1.0] * max(few, 20))
    assert state.verdict == "unacceptable"
