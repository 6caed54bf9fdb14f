"""What the planner is worth, and what a decision costs in time.

Six risks between clear and hard. For each budget: how many of them are decided and with how many
trials, by the planner, by eight trials each in turn leaving out what is decided, and by eight each
in turn regardless. Then the time that parts of a decision take.

    python benchmarks/planner.py
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from buttress.risk.planner import PlannedArm, Planner
from buttress.risk.policy import Tolerance
from buttress.risk.scenario import TrialEvidence, posterior_rate
from buttress.risk.verdict import RiskState
from buttress.statistics.correction import CalibrationCounts
from buttress.statistics.pooling import pool

CASES = ((0.05, 0.0), (0.05, 0.02), (0.05, 0.04), (0.15, 0.12), (0.15, 0.3), (0.10, 0.6))
STREAM = 3000
STEP = 8


def arms() -> list[PlannedArm]:
    return [
        PlannedArm(str(place), RiskState(Tolerance(limit=limit)), 1.0, STREAM)
        for place, (limit, _) in enumerate(CASES)
    ]


def planned(budget: int | None, seed: int) -> tuple[int, int]:
    made, chance, spent = arms(), np.random.default_rng(seed), 0
    planner = Planner(made, calls=budget, seed=seed)
    while (batch := planner.next_batch()) is not None:
        rate = CASES[int(batch.arm)][1]
        outcomes = (chance.random(batch.size) < rate).astype(float).tolist()
        planner.arms[batch.arm].state.update(outcomes)
        planner.observe(batch.arm, batch.size, batch.size, batch.size)
        spent += batch.size
    return sum(arm.state.verdict != "undecided" for arm in made), spent


def in_turn(budget: int | None, seed: int, *, regardless: bool) -> tuple[int, int]:
    made, chance, spent = arms(), np.random.default_rng(seed), 0
    most = STREAM * len(CASES) if budget is None else budget
    while spent < most and any(arm.open for arm in made):
        for arm, (_, rate) in zip(made, CASES, strict=True):
            size = min(STEP, arm.remaining, most - spent)
            if size and (regardless or arm.open):
                arm.remaining -= size
                arm.state.update((chance.random(size) < rate).astype(float))
                spent += size
    return sum(arm.state.verdict != "undecided" for arm in made), spent


def worth(runs: int) -> None:
    ways: dict[str, Callable[[int | None, int], tuple[int, int]]] = {
        "planner": planned,
        "in turn, decided left out": lambda budget, seed: in_turn(budget, seed, regardless=False),
        "in turn regardless": lambda budget, seed: in_turn(budget, seed, regardless=True),
    }
    print(f"{runs} runs; decided of {len(CASES)} / trials spent\n")
    print("| budget | " + " | ".join(ways) + " |")
    print("| ---: " * (len(ways) + 1) + "|")
    for budget in (150, 300, 600, 1200, None):
        cells = []
        for way in ways.values():
            found = np.array([way(budget, seed) for seed in range(runs)]).mean(axis=0)
            cells.append(f"{found[0]:.2f} / {found[1]:.0f}")
        print(f"| {budget or 'none'} | " + " | ".join(cells) + " |", flush=True)


def milliseconds(work: Callable[[], object], times: int = 30) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def speed() -> None:
    chance = np.random.default_rng(0)
    counts = CalibrationCounts(190, 10, 392, 8)
    state = RiskState(Tolerance(limit=0.05), counts)
    for _ in range(200):
        state.update((chance.random(5) < 0.05).astype(float))
    sizes = np.unique(np.geomspace(4, 20_000, 28).astype(int))
    trials = chance.integers(0, 40, (4, 16))
    failures = chance.binomial(trials, 0.1)
    known = TrialEvidence(1000, 50, counts)
    parts: dict[str, Callable[[], object]] = {
        "update with 8 outcomes": lambda: RiskState(Tolerance(), counts).update([0.0] * 8),
        "chance of a decision, 28 sizes": lambda: state.chance_of_decision(sizes, chance),
        "interval": state.sequence.judged.bounds,
        "path of 200 points": state.path,
        "what would decide": state.would_decide,
        "pooling 4 × 16 cells": lambda: pool(trials, failures),
        "20,000 draws of a rate": lambda: posterior_rate(known, 20_000, chance),
    }
    print("\n| part | ms |\n| --- | ---: |")
    for name, work in parts.items():
        print(f"| {name} | {milliseconds(work):.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    worth(options.runs)
    speed()


if __name__ == "__main__":
    main()
