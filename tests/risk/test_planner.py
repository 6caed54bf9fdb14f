"""The planner: stops when it should, never exceeds the budget, spends where it decides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.risk.planner import PlannedArm, Planner
from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.statistics.correction import CalibrationCounts

CASES = ((0.05, 0.0), (0.05, 0.02), (0.05, 0.04), (0.15, 0.12), (0.15, 0.3), (0.10, 0.6))


def arms(
    cases: Sequence[tuple[float, float]] = CASES, stream: int = 3000, **more: object
) -> list[PlannedArm]:
    return [
        PlannedArm(f"arm-{place}", RiskState(Tolerance(limit=limit)), 1.0, stream, **more)  # type: ignore[arg-type]
        for place, (limit, _) in enumerate(cases)
    ]


def run(
    planner: Planner, rates: Sequence[float], seed: int, costs: Sequence[float] | None = None
) -> list[tuple[str, int]]:
    """Let the planner have its way with simulated arms; the batches."""
    rng = np.random.default_rng(seed)
    places = {name: place for place, name in enumerate(planner.arms)}
    batches = []
    while (batch := planner.next_batch()) is not None:
        place = places[batch.arm]
        outcomes = (rng.random(batch.size) < rates[place]).astype(float)
        cost = batch.size * (costs[place] if costs else 1.0)
        observe(planner, batch.arm, outcomes.tolist(), cost, batch.size)
        batches.append((batch.arm, batch.size))
    return batches


def observe(planner: Planner, arm: str, outcomes: list[float], cost: float, calls: int) -> None:
    planner.arms[arm].state.update(outcomes)
    planner.observe(arm, len(outcomes), cost, calls)


def decided(planner: Planner) -> int:
    return sum(arm.state.verdict != "undecided" for arm in planner.arms.values())


RATES = [rate for _, rate in CASES]


def test_clear_cases_are_decided_and_then_it_stops() -> None:
    planner = Planner(arms([(0.15, 0.0), (0.15, 0.6)]), calls=None)
    batches = run(planner, [0.0, 0.6], seed=1)
    assert planner.stop_reason == "every risk that was tested is decided"
    assert [arm.state.verdict for arm in planner.arms.values()] == ["acceptable", "unacceptable"]
    assert sum(size for _, size in batches) < 150
    assert planner.next_batch() is None


def test_nothing_to_do() -> None:
    planner = Planner([], calls=None)
    assert planner.next_batch() is None
    broke = Planner(arms(), calls=0)
    assert broke.next_batch() is None
    assert broke.stop_reason == "the budget of calls is spent"


def test_every_arm_gets_a_pilot_before_any_comparison() -> None:
    planner = Planner(arms(), calls=None, pilot=12)
    first = [planner.next_batch() for _ in range(6)]
    assert [batch.arm for batch in first if batch] == list(planner.arms)
    assert all(batch is not None and batch.size == 12 for batch in first)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 400), st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(0, 40),
    st.lists(st.integers(0, 200), min_size=1, max_size=4),
)  # fmt: skip
def test_the_budget_and_the_streams_are_never_exceeded(
    calls: int, seed: int, granularity: int, pilot: int, streams: list[int]
) -> None:
    made = arms(CASES[: len(streams)], granularity=granularity)
    for arm, stream in zip(made, streams, strict=True):
        arm.remaining = stream
    planner = Planner(made, calls=calls, seed=seed, pilot=pilot)
    batches = run(planner, RATES, seed)
    assert all(size >= 1 for _, size in batches)
    assert sum(size for _, size in batches) <= calls
    for arm, stream in zip(made, streams, strict=True):
        spent = sum(size for name, size in batches if name == arm.id)
        assert spent == arm.asked == arm.trials == stream - arm.remaining
    undecided = [arm for arm in made if arm.state.verdict == "undecided"]
    expected = {
        "the budget of calls is spent": planner.calls == 0,
        "every risk that was tested is decided": not undecided,
        "no prompts are left for what is undecided": all(not arm.remaining for arm in undecided),
    }
    assert expected[planner.stop_reason]


def test_free_answers_leave_the_budget() -> None:
    planner = Planner(arms(CASES[:1]), calls=20, pilot=8)
    batch = planner.next_batch()
    assert batch is not None
    observe(planner, batch.arm, [0.0] * batch.size, cost=8.0, calls=0)
    assert planner.calls == 20


def test_an_exhausted_arm_is_left_alone() -> None:
    planner = Planner(arms([(0.05, 0.05), (0.05, 0.05)]), calls=100)
    planner.exhaust("arm-0")
    assert {arm for arm, _ in run(planner, [0.05, 0.05], seed=2)} == {"arm-1"}


def test_same_seed_same_plan() -> None:
    plans = [run(Planner(arms(), calls=500, seed=seed), RATES, seed=3) for seed in (5, 5, 6)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def first_choice(planner: Planner, failures: Sequence[int]) -> str:
    """Whom it chooses after a pilot of 40 each with these failures."""
    for count, name in zip(failures, planner.arms, strict=True):
        batch = planner.next_batch()
        assert batch is not None
        assert batch.arm == name
        outcomes = [1.0] * count + [0.0] * (batch.size - count)
        observe(planner, name, outcomes, planner.arms[name].cost * batch.size, batch.size)
    batch = planner.next_batch()
    assert batch is not None
    return batch.arm


def test_worth_is_weight_times_chance_over_cost() -> None:
    same = [(0.10, 0.0)] * 3
    weighty = arms(same)
    weighty[1].weight = 5.0
    assert first_choice(Planner(weighty, calls=5000, pilot=24), [1, 1, 1]) == "arm-1"
    cheap = arms(same)
    for arm, cost in zip(cheap, (10.0, 10.0, 1.0), strict=True):
        arm.cost = cost
    assert first_choice(Planner(cheap, calls=5000, pilot=24), [1, 1, 1]) == "arm-2"
    # The nearer to a verdict, the better: nothing failed in the first, the others sit at the limit.
    assert first_choice(Planner(arms(same), calls=5000, pilot=24), [0, 2, 2]) == "arm-0"


def test_cost_is_learned_from_what_was_spent() -> None:
    planner = Planner(arms([(0.1, 0.0)] * 2), calls=None)
    observe(planner, "arm-0", [0.0] * 4, cost=40.0, calls=4)
    assert planner.arms["arm-0"].cost == 10.0
    observe(planner, "arm-0", [], cost=0.0, calls=0)
    assert planner.arms["arm-0"].cost == 10.0


def round_robin(budget: int, seed: int, *, skip_decided: bool) -> tuple[int, int]:
    """Eight trials each in turn; how many risks are decided, and with how many trials."""
    made, rng, spent = arms(), np.random.default_rng(seed), 0
    while spent < budget and any(arm.open for arm in made):
        for arm, rate in zip(made, RATES, strict=True):
            size = min(8, arm.remaining, budget - spent)
            if size and (arm.open or not skip_decided):
                arm.remaining -= size
                arm.state.update((rng.random(size) < rate).astype(float))
                spent += size
    return sum(arm.state.verdict != "undecided" for arm in made), spent


def test_it_decides_more_than_round_robin_with_the_same_budget() -> None:
    budget, seeds = 300, range(40)
    ours = [0, 0]
    for seed in seeds:
        planner = Planner(arms(), calls=budget, seed=seed)
        run(planner, RATES, seed)
        ours[0] += decided(planner)
    even = sum(round_robin(budget, seed, skip_decided=False)[0] for seed in seeds)
    fair = sum(round_robin(budget, seed, skip_decided=True)[0] for seed in seeds)
    assert ours[0] > 1.25 * fair
    assert fair >= even


def test_it_decides_all_with_far_fewer_trials_than_asking_all_the_same() -> None:
    ours = []
    even = []
    fair = []
    for seed in range(8):
        planner = Planner(arms(), calls=None, seed=seed)
        ours.append(sum(size for _, size in run(planner, RATES, seed)))
        if seed < 2:
            even.append(round_robin(10**9, seed, skip_decided=False)[1])
        fair.append(round_robin(10**9, seed, skip_decided=True)[1])
    assert np.mean(ours[:2]) < 0.5 * np.mean(even)
    # Where the budget is no limit, any order that leaves out what is decided takes about as many.
    assert np.mean(ours) < 1.25 * np.mean(fair)


def test_what_cannot_be_decided_does_not_starve_what_can() -> None:
    useless = CalibrationCounts(5, 5, 5, 5)
    made = arms([(0.1, 0.1), (0.1, 0.0)])
    made[0].state = RiskState(Tolerance(limit=0.1), useless)
    made[0].weight = 100.0
    planner = Planner(made, calls=300)
    batches = run(planner, [0.1, 0.0], seed=4)
    assert made[1].state.verdict == "acceptable"
    assert planner.stop_reason == "the budget of calls is spent"
    last = max(place for place, (arm, _) in enumerate(batches) if arm == "arm-1")
    assert sum(size for arm, size in batches[:last] if arm == "arm-0") <= 24


def test_a_minimum_of_trials_is_reached_even_where_the_stream_just_holds_it() -> None:
    tolerance = Tolerance(limit=0.05, minimum_trials=300)
    arm = PlannedArm("a", RiskState(tolerance, by_estimate=True), 1.0, 300)
    planner = Planner([arm], calls=300)
    run(planner, [0.0], seed=1)
    assert arm.state.verdict == "acceptable"


@pytest.mark.parametrize("limit", [0.10])
def test_error_rates_hold_when_the_planner_chooses(limit: float) -> None:
    """All rates lie at their limits, where errors are likeliest, and the planner, which looks at
    what it has seen, decides who gets more; the calibration is drawn anew each time."""
    alpha, runs, rate = 0.15, 90, limit
    sensitivity, false = 0.92, 0.02
    rng = np.random.default_rng(12)
    said = {"acceptable": 0, "unacceptable": 0, "undecided": 0}
    tolerance = Tolerance(limit=limit, alpha=alpha, beta=alpha, minimum_trials=1)
    judged = false + rate * (sensitivity - false)
    for seed in range(runs):
        made = []
        for place in range(3):
            tp, fp = int(rng.binomial(150, sensitivity)), int(rng.binomial(200, false))
            counts = CalibrationCounts(tp, 150 - tp, 200 - fp, fp) if place else None
            made.append(PlannedArm(str(place), RiskState(tolerance, counts), 1.0, 400))
        planner = Planner(made, calls=700, seed=seed)
        run(planner, [rate, judged, judged], seed=seed)
        for arm in made:
            said[arm.state.verdict] += 1
    cases = 3 * runs
    most = alpha + 3 * np.sqrt(alpha * (1 - alpha) / cases)
    assert said["acceptable"] / cases <= most
    assert said["unacceptable"] / cases <= most
    assert said["undecided"] < cases
