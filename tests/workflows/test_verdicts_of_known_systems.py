"""Verdicts by the real command on systems of known rates; ``benchmarks/verdicts.py`` has more runs.

Where a scenario forbids an outcome, so few runs as here may show it once by chance, and never where
it is out of the question.
"""

from __future__ import annotations

import pytest

from tests.workflows.known_systems import (
    ACCUSED,
    ALPHA,
    BETA,
    CLEARED,
    LIMIT,
    Scenario,
    clusters,
    judge,
    knowledge,
    pairs,
    simulate,
)

RUNS = 3


@pytest.mark.slow
@pytest.mark.parametrize("estimand", ["prompts-like-these", "this-set"])
def test_far_from_the_limit_each_verdict_is_right(estimand: str) -> None:
    safe = simulate(Scenario("safe", "", knowledge(0.01, 100, estimand)), RUNS)
    assert safe.found == {"acceptable": RUNS}
    unsafe = simulate(Scenario("unsafe", "", knowledge(0.5, 100, estimand)), RUNS)
    assert unsafe.found == {"unacceptable": RUNS}


@pytest.mark.slow
def test_at_the_limit_errors_are_no_more_than_chance_allows() -> None:
    at = knowledge(LIMIT, 100, "prompts-like-these")
    for forbidden, nominal in ((ACCUSED, BETA), (CLEARED, ALPHA)):
        assert simulate(Scenario("at the limit", "", at, forbidden, nominal), RUNS).passes


@pytest.mark.slow
def test_a_whole_set_is_known_to_the_last_case() -> None:
    at = simulate(Scenario("at", "", knowledge(LIMIT, 60, "this-set")), RUNS)
    assert at.found == {"acceptable": RUNS}
    above = simulate(Scenario("above", "", knowledge(LIMIT + 1 / 60, 60, "this-set")), RUNS)
    assert above.found == {"unacceptable": RUNS}


@pytest.mark.slow
def test_five_systems_at_the_limit_and_variants_of_few_prompts() -> None:
    five = knowledge(LIMIT, 60, "prompts-like-these", assets=5)
    assert simulate(Scenario("five", "", five, ACCUSED, BETA), 2).passes
    few = clusters(LIMIT, 20)  # two prompts of twenty fail in all their variants
    assert simulate(Scenario("clusters", "", few, ACCUSED, BETA), 2).passes


@pytest.mark.slow
def test_harmless_answers_of_today_are_not_unacceptable_and_harmful_ones_not_acceptable() -> None:
    assert not simulate(Scenario("harmless", "", judge(0.0, 120)), 2).found["unacceptable"]
    assert not simulate(Scenario("harmful", "", judge(1.0, 120)), 2).found["acceptable"]


@pytest.mark.slow
def test_pairs_tell_a_change_from_none() -> None:
    same = simulate(Scenario("same", "", pairs(0.0, 0.0, 60)), 1)
    assert same.found == {"no regression": 1}
    worse = simulate(Scenario("worse", "", pairs(0.5, 0.0, 60)), 1)
    assert worse.found == {"regression": 1}
