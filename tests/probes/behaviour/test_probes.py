"""What holds for every probe with a bank of its own."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.probes.behaviour import (
    citations,
    corrigibility,
    deception,
    disclosure,
    instruction_hierarchy,
    moral_foundations,
    moral_scenarios,
    overconfidence,
    pressure,
    safety_knowledge,
    social_bias,
    sycophancy,
    unanswerable,
)
from buttress.probes.behaviour.bank import BankProbe
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialProbe
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.engine import TrialEngine
from tests.probes.behaviour.parts import CONTEXT, ENGLISH, RECORDED
from tests.trials.parts import MemoryStore, WordJudge

PROBES: list[BankProbe] = [
    citations.PROBE,
    corrigibility.PROBE,
    deception.PROBE,
    disclosure.DIVERGENCE,
    disclosure.ELICITATION,
    instruction_hierarchy.PROBE,
    moral_foundations.PROBE,
    moral_scenarios.PROBE,
    overconfidence.PROBE,
    pressure.PROBE,
    social_bias.PROBE,
    sycophancy.PROBE,
    sycophancy.CONTROL,
    unanswerable.PROBE,
]
each_probe = pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id)


@each_probe
def test_it_is_a_trial_probe_with_exact_checks(probe: TrialProbe) -> None:
    assert probe.exact
    assert probe.expect == "answer"
    specs = list(probe.stream(CONTEXT))
    assert len(specs) == probe.size(CONTEXT)
    assert all(spec.check is not None and spec.probe == probe.id for spec in specs)
    assert len({spec.item for spec in specs}) == len(specs)


@each_probe
def test_both_languages_have_at_least_forty_items_each(probe: TrialProbe) -> None:
    languages = Counter(spec.language for spec in probe.stream(CONTEXT))
    assert set(languages) == {"en", "zh"}
    assert languages["en"] == languages["zh"] >= 40
    items = {spec.item for spec in probe.stream(CONTEXT)}
    assert {re.sub(r"/zh$", "/en", item) for item in items} <= items


@each_probe
def test_chinese_items_are_chinese_and_english_ones_are_not(probe: TrialProbe) -> None:
    for spec in probe.stream(CONTEXT):
        text = "".join(message.content for message in spec.messages)
        chinese = len(re.findall(r"[\u4e00-\u9fff]", text))
        assert (chinese >= 5) if spec.language == "zh" else (chinese == 0), spec.item


@each_probe
def test_no_question_is_asked_twice(probe: TrialProbe) -> None:
    asked = Counter(spec.messages for spec in probe.stream(CONTEXT))
    assert max(asked.values()) == 1


@each_probe
def test_nothing_is_left_to_fill_in(probe: TrialProbe) -> None:
    for spec in probe.stream(CONTEXT):
        assert not re.search(r"[{}|]", "".join(message.content for message in spec.messages))


@each_probe
def test_only_the_languages_of_the_prompts_are_asked(probe: TrialProbe) -> None:
    assert {spec.language for spec in probe.stream(ENGLISH)} == {"en"}
    assert probe.size(ENGLISH) == probe.size(CONTEXT) // 2


@each_probe
def test_a_recording_is_not_covered(probe: TrialProbe) -> None:
    with pytest.raises(NotCoveredError):
        probe.stream(RECORDED)
    with pytest.raises(NotCoveredError):
        probe.size(RECORDED)


@each_probe
def test_same_seed_same_trials_other_seed_other_order(probe: TrialProbe) -> None:
    def items(seed: int) -> list[str]:
        return [spec.item for spec in probe.stream(TrialContext(seed=seed, prompts=()))]

    assert items(3) == items(3)
    assert items(3) != items(4)


@each_probe
def test_the_systems_own_prompt_comes_first_in_one_system_turn(probe: TrialProbe) -> None:
    context = TrialContext(seed=3, prompts=(), system_prompt="Be kind.")
    for bare, spec in zip(probe.stream(CONTEXT), probe.stream(context), strict=True):
        assert [message.role for message in spec.messages].count("system") == 1
        assert spec.messages[0].content.startswith("Be kind.")
        if bare.messages[0].role == "system":
            assert spec.messages[0].content.endswith(bare.messages[0].content)


@pytest.mark.parametrize(
    "probe", [corrigibility.PROBE, instruction_hierarchy.PROBE], ids=lambda p: p.id
)
def test_every_prefix_is_a_fair_sample(probe: TrialProbe) -> None:
    """Over seeds, the first and the fifth trial are of each category with its share."""
    shares = Counter(spec.category for spec in probe.stream(CONTEXT))
    total = probe.size(CONTEXT)
    runs = 300
    for place in (0, 4):
        drawn = Counter(
            next(islice(probe.stream(TrialContext(seed=s, prompts=())), place, None)).category
            for s in range(runs)
        )
        for category, count in shares.items():
            share = count / total
            assert abs(drawn[category] / runs - share) < 4 * np.sqrt(share * (1 - share) / runs)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(PROBES), st.integers(0, 30), st.text(max_size=200))
def test_any_answer_gets_an_outcome(probe: BankProbe, place: int, answer: str) -> None:
    spec = next(islice(probe.stream(CONTEXT), place, None))
    assert spec.check is not None
    judgement = spec.check(answer)
    assert 0 <= judgement.outcome <= 1
    assert judgement.score == judgement.outcome
    assert judgement.reason


@each_probe
def test_huge_answers_take_no_quadratic_time(probe: BankProbe) -> None:
    spec = next(iter(probe.stream(CONTEXT)))
    assert spec.check is not None
    for piece in ("A", "Smith, and ", "not ", "《", "1 ", "信心：", "no such ", "<think>", "yes"):
        spec.check(piece * 100_000)


async def test_the_engine_runs_a_probe_and_writes_its_checks() -> None:
    target = ScriptedTarget(lambda _: "A")
    engine = TrialEngine(target, WordJudge(), MemoryStore(), asset="m", run="r", seed=1)
    trials = await engine.run(islice(moral_scenarios.PROBE.stream(CONTEXT), 40))
    assert {trial.judge for trial in trials} == {"check"}
    failed = sum(trial.outcome for trial in trials)
    assert 8 <= failed <= 32  # the letter A is right about half of the time
    assert failed == sum("wrong way" in trial.reason for trial in trials)


def test_without_the_data_set_the_probe_says_what_it_needs() -> None:
    with pytest.raises(NotCoveredError, match="SafetyBench"):
        safety_knowledge.PROBE.size(CONTEXT)
