"""Robustness: changes that keep the question, and comparison of pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from buttress.evidence.records import Trial
from buttress.probes.behaviour import (
    deception,
    harmful_compliance,
    instruction_hierarchy,
    moral_scenarios,
    pressure,
    social_bias,
    sycophancy,
)
from buttress.probes.behaviour.paired import (
    by_item_across_languages,
    compare,
    survival,
)
from buttress.probes.behaviour.perturbations import (
    PARAPHRASE,
    PERTURBATIONS,
    SYSTEM_PROMPT,
    TEMPERATURE,
    TYPOS,
    Perturbation,
)
from buttress.probes.behaviour.robustness import PerturbedProbe
from buttress.prompts.pack import load_pack
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialProbe
from tests.probes.behaviour.parts import CONTEXT, RECORDED, trial

PACK = TrialContext(seed=5, prompts=load_pack())
BASES: list[tuple[TrialProbe, TrialContext]] = [
    (moral_scenarios.PROBE, CONTEXT),
    (deception.PROBE, CONTEXT),
    (instruction_hierarchy.PROBE, CONTEXT),
    (pressure.PROBE, CONTEXT),
    (social_bias.PROBE, CONTEXT),
    (harmful_compliance.PROBE, PACK),
]
each_base = pytest.mark.parametrize(("base", "context"), BASES, ids=[b.id for b, _ in BASES])
each_change = pytest.mark.parametrize("change", PERTURBATIONS, ids=lambda p: p.id)


@each_base
@each_change
def test_the_same_items_come_in_the_same_order(
    base: TrialProbe, context: TrialContext, change: Perturbation
) -> None:
    probe: TrialProbe = PerturbedProbe(base, change)
    assert (probe.expect, probe.exact, probe.attack) == (base.expect, base.exact, base.attack)
    assert probe.size(context) == base.size(context)
    changed = list(probe.stream(context))
    plain = list(base.stream(context))
    assert [spec.item for spec in changed] == [spec.item for spec in plain]
    assert {spec.probe for spec in changed} == {f"{base.id}+{change.id}"}
    assert changed == list(probe.stream(context)) or base.exact  # checks are made anew
    assert [s.messages for s in changed] == [s.messages for s in probe.stream(context)]
    different = sum(
        (a.messages, a.sampling) != (b.messages, b.sampling)
        for a, b in zip(changed, plain, strict=True)
    )
    assert different > 0.6 * len(plain)


@each_base
@pytest.mark.parametrize("change", [PARAPHRASE, TYPOS], ids=lambda p: p.id)
def test_options_quotes_and_earlier_turns_stay(
    base: TrialProbe, context: TrialContext, change: Perturbation
) -> None:
    for plain, changed in zip(
        base.stream(context), PerturbedProbe(base, change).stream(context), strict=True
    ):
        assert changed.messages[:-1] == plain.messages[:-1]
        before, after = plain.messages[-1].content, changed.messages[-1].content
        options = [line for line in before.splitlines() if re.match(r"[A-H]\. ", line)]
        kept = [line for line in after.splitlines() if re.match(r"[A-H]\. ", line)]
        assert options == [line.removesuffix(" Thanks in advance.") for line in kept]
        assert re.findall(r"“[^”]*”", before) == re.findall(r"“[^”]*”", after)
        assert set(re.findall(r"\d+", before)) == set(re.findall(r"\d+", after))


def test_typos_are_few_and_keep_words_recognisable() -> None:
    for plain, changed in zip(
        moral_scenarios.PROBE.stream(CONTEXT),
        PerturbedProbe(moral_scenarios.PROBE, TYPOS).stream(CONTEXT),
        strict=True,
    ):
        before, after = plain.messages[-1].content, changed.messages[-1].content
        if plain.language == "en":
            pairs = list(zip(before.split(), after.split(), strict=True))
            assert sum(a != b for a, b in pairs) <= len(pairs) / 2
            assert all(abs(len(a) - len(b)) <= 1 and a[0] == b[0] for a, b in pairs)
        else:
            assert len(before) == len(after)


def test_temperature_changes_the_sampling_only() -> None:
    base = list(islice(moral_scenarios.PROBE.stream(CONTEXT), 20))
    warm = list(islice(PerturbedProbe(moral_scenarios.PROBE, TEMPERATURE).stream(CONTEXT), 20))
    assert [spec.messages for spec in warm] == [spec.messages for spec in base]
    assert {spec.sampling.temperature for spec in warm} == {1.0}
    assert len({spec.sampling.seed for spec in warm}) == 20


def test_a_system_prompt_is_put_before_that_of_the_probe() -> None:
    for plain, changed in zip(
        deception.PROBE.stream(CONTEXT),
        PerturbedProbe(deception.PROBE, SYSTEM_PROMPT).stream(CONTEXT),
        strict=True,
    ):
        assert changed.messages[0].content.endswith(plain.messages[0].content)
        assert len(changed.messages) == len(plain.messages)


def test_a_recording_is_not_covered() -> None:
    with pytest.raises(NotCoveredError):
        PerturbedProbe(harmful_compliance.PROBE, TYPOS).stream(RECORDED)


SPECS = list(islice(moral_scenarios.PROBE.stream(CONTEXT), 80))


def trials(outcomes: Sequence[float]) -> list[Trial]:
    return [
        replace(trial(SPECS[place], "A"), outcome=float(outcome))
        for place, outcome in enumerate(outcomes)
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 0.5, 1]), st.sampled_from([0, 0.5, 1])),
        min_size=1,
        max_size=80,
    )
)
def test_comparison_equals_a_naive_count(pairs: list[tuple[float, float]]) -> None:
    before, after = zip(*pairs, strict=True)
    found = compare(trials(before), trials(after))
    worse = sum(b > a for a, b in pairs)
    better = sum(b < a for a, b in pairs)
    assert (found.pairs, found.worse, found.better) == (len(pairs), worse, better)
    assert found.difference == pytest.approx(sum(b - a for a, b in pairs) / len(pairs))
    assert -1 <= found.low <= found.difference + 1e-9
    assert found.difference - 1e-9 <= found.high <= 1
    if worse + better and all({a, b} <= {0, 1} for a, b in pairs):
        # The price of looking at any time: never more sure than the exact test of a fixed size.
        assert found.p_value >= binomtest(worse, worse + better).pvalue - 1e-9
    turned = compare(trials(after), trials(before))
    assert turned.p_value == pytest.approx(found.p_value)
    assert turned.difference == pytest.approx(-found.difference)
    assert turned.low == pytest.approx(-found.high, abs=1e-6)
    assert found.consistency == pytest.approx(1 - (worse + better) / len(pairs))


def test_the_interval_covers_the_true_difference() -> None:
    """150 simulated comparisons; at most 5 % may miss, whatever the number of pairs."""
    chance = np.random.default_rng(2)
    missed = 0
    for _ in range(150):
        size = int(chance.integers(10, 80))
        before = chance.random(size) < 0.3
        after = np.where(chance.random(size) < 0.7, before, chance.random(size) < 0.6)
        found = compare(trials(before), trials(after))
        missed += not found.low <= 0.3 * (0.6 - 0.3) <= found.high
    assert missed <= 12


def test_unpaired_items_are_counted_and_no_pair_is_an_error() -> None:
    found = compare(trials([0, 1, 1]), trials([0, 1, 1, 0, 0]))
    assert (found.pairs, found.unpaired) == (3, 2)
    with pytest.raises(ValueError, match="no item"):
        compare(trials([1]), [])


def test_languages_are_paired_within_a_probe() -> None:
    english, chinese = [], []
    for spec in sycophancy.CONTROL.stream(CONTEXT):
        side = english if spec.language == "en" else chinese
        side.append(trial(spec, "?"))
    found = compare(english, chinese, key=by_item_across_languages)
    assert found.pairs == len(english) == len(chinese)
    assert found.unpaired == 0
    assert found.consistency == 1


def test_the_effect_of_a_claim_is_told_from_ignorance() -> None:
    """A model that knows nothing, and one that knows all but agrees with every user."""
    control = list(sycophancy.CONTROL.stream(CONTEXT))
    claimed = list(sycophancy.PROBE.stream(CONTEXT))
    ignorant = compare(
        [trial(spec, "A") for spec in control], [trial(spec, "A") for spec in claimed]
    )
    assert ignorant.difference == 0
    assert ignorant.low < 0 < ignorant.high

    def known(spec_item: str, wrong: bool) -> str:
        from buttress.probes.behaviour.factual import facts

        fact = next(each for each in facts() if spec_item.endswith(each.id))
        return fact.wrong if wrong else fact.right[0]

    agreeing = compare(
        [trial(spec, known(spec.item, wrong=False)) for spec in control],
        [trial(spec, known(spec.item, wrong=True)) for spec in claimed],
    )
    assert agreeing.difference == 1
    assert agreeing.low > 0.8
    assert agreeing.p_value < 1e-10


@pytest.mark.parametrize(
    ("before", "after", "verdicts", "survives"),
    [
        ([0] * 80, [0] * 80, ("acceptable", "acceptable"), True),
        ([0] * 80, [1] * 80, ("acceptable", "unacceptable"), False),
        ([1] * 80, [1] * 80, ("unacceptable", "unacceptable"), True),
        ([0] * 80, [0, 1] * 3, ("acceptable", "undecided"), None),
    ],
)
def test_survival_of_a_verdict(
    before: list[float], after: list[float], verdicts: tuple[str, str], survives: bool | None
) -> None:
    found = survival(trials(before), trials(after), 0.2)
    assert (found.first, found.second) == verdicts
    assert found.survives is survives
