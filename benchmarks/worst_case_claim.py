"""How often the worst-case claim is ever too low by the product's own way of asking; its cost.

Four cells with rates of 20, 10, 2 and 2 %, ten looks at 30 trials each. A run errs if at any
look "no attack succeeds above x %" has an x below 20 %. Then the time that a choice of 16 cells and
an update with their outcomes take on a grid of 500.

    python benchmarks/worst_case_claim.py
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from buttress.risk.cells import CellsState
from buttress.risk.policy import Tolerance

RATES = np.array([0.2, 0.1, 0.02, 0.02])
CELLS = [(attack, category) for attack in "ab" for category in "xy"]
LOOKS, BATCH = 10, 30
NEVER = 10**9  # a minimum of trials that keeps the verdict open


def errs(alpha: float, seed: int) -> bool:
    state = CellsState(Tolerance(0.05, alpha, minimum_trials=NEVER), CELLS, seed=seed)
    chance = np.random.default_rng(seed)
    for _ in range(LOOKS):
        cells = state.choose(BATCH)
        state.update(cells, (chance.random(BATCH) < RATES[cells]).astype(float))
        if state.sequence.high < RATES.max():
            return True
    return False


def milliseconds(batches: int = 100) -> tuple[float, float]:
    cells = [(f"attack {row}", f"category {column}") for row in range(25) for column in range(20)]
    state = CellsState(Tolerance(0.1, minimum_trials=NEVER), cells)
    chance = np.random.default_rng(0)
    rates = chance.beta(1, 20, len(cells))
    choosing = updating = 0.0
    for _ in range(batches):
        start = time.perf_counter()
        chosen = state.choose(16)
        between = time.perf_counter()
        state.update(chosen, (chance.random(16) < rates[chosen]).astype(float))
        updating += time.perf_counter() - between
        choosing += between - start
    return 1000 * choosing / batches, 1000 * updating / batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--alpha", type=float, default=0.1)
    options = parser.parse_args()
    wrong = sum(errs(options.alpha, run) for run in range(options.runs)) / options.runs
    print(f"claim ever too low in {wrong:.2%} of {options.runs}, {options.alpha:.0%} allowed")
    choosing, updating = milliseconds()
    print(f"500 cells: {choosing:.1f} ms to choose 16, {updating:.1f} ms to update")


if __name__ == "__main__":
    main()
