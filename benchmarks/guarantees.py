"""Measures the errors of what is promised: each line of the table in docs/guarantees.md.

python benchmarks/guarantees.py [--runs 400]
"""

from __future__ import annotations

import argparse
import math
from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.statistics import graded
from buttress.statistics.cells import evidence_below
from buttress.statistics.finite import log_wealth
from buttress.statistics.pooling import pool

Array = npt.NDArray[np.float64]
ALPHA: Final = 0.05
RATE: Final = 0.05


def clusters(correlation: float, runs: int, *, by_prompt: bool) -> float:
    """Share of runs in which the rate is ever shown to lie below what it is."""
    rng = np.random.default_rng(1)
    a, b = (share * (1 / correlation - 1) for share in (RATE, 1 - RATE))
    wrong = 0
    for _ in range(runs):
        rates = rng.beta(a, b, 120)
        seen = (rng.random((120, 6)) < rates[:, None]).astype(float)
        parts = [seen[:end].mean(axis=1) if by_prompt else seen[:end].ravel()
                 for end in range(10, 121, 10)]  # fmt: skip
        rows = np.array([graded.spread(part) for part in parts])
        wrong += bool((evidence_below(rows, RATE) >= -math.log(ALPHA)).any())
    return wrong / runs


def finite(size: int, ones: int) -> float:
    """Exact probability, over all orders and looks, that the set is shown to lie below its mean."""
    alive = np.zeros(ones + 1)
    alive[0] = 1.0
    excluded = 0.0
    for drawn in range(size):
        share = (ones - np.arange(ones + 1)) / (size - drawn)
        moved = alive * (1 - share)
        moved[1:] += (alive * share)[:-1]
        for seen in np.flatnonzero(moved):
            if log_wealth(float(seen), drawn + 1, size, [ones / size])[0] >= -math.log(ALPHA):
                excluded += moved[seen]
                moved[seen] = 0.0
        alive = moved
    return float(excluded)


def family(risks: int, runs: int, *, divided: bool) -> float:
    """Share of runs in which any of so many risks, all just at the limit, is unacceptable."""
    rng = np.random.default_rng(2)
    wrong = 0
    looks = np.arange(8, 801, 8)
    for _ in range(runs):
        found = False
        for _ in range(risks):
            state = RiskState(Tolerance(limit=0.1), family=risks if divided else 1)
            failures = (rng.random(800) < 0.1).cumsum()
            found |= bool(state.decided(failures[looks - 1], looks)[1].any())
        wrong += found
    return wrong / runs


def hot_cell(hot: float, cool: float, trials: int, runs: int) -> tuple[float, float]:
    """How often the 95 % interval holds the one hot cell of 40, and how often any cell."""
    rng = np.random.default_rng(3)
    held, every = 0, []
    for _ in range(runs):
        rates = np.full((5, 8), cool)
        rates[rng.integers(5), rng.integers(8)] = hot
        counts = np.full((5, 8), trials)
        pooled = pool(counts, rng.binomial(counts, rates))
        inside = (pooled.low <= rates) & (rates <= pooled.high)
        held += bool(inside[rates == hot].all())
        every.append(inside.mean())
    return held / runs, float(np.mean(every))


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    print("| intraclass correlation | by prompt | trials taken as independent |")
    print("| ---: | ---: | ---: |")
    for correlation in (0.05, 0.1, 0.37, 0.8):
        good = clusters(correlation, runs, by_prompt=True)
        bad = clusters(correlation, runs, by_prompt=False)
        print(f"| {correlation:g} | {good:.1%} | {bad:.1%} |", flush=True)
    print("\n| set | ones | exact error |\n| ---: | ---: | ---: |")
    for size, ones in ((40, 3), (100, 5), (200, 10), (200, 40)):
        print(f"| {size} | {ones} | {finite(size, ones):.1%} |", flush=True)
    print("\n| risks at the limit | any unacceptable, beta divided | undivided |")
    print("| ---: | ---: | ---: |")
    for risks in (2, 7, 20):
        shares = [family(risks, runs, divided=each) for each in (True, False)]
        print(f"| {risks} | {shares[0]:.1%} | {shares[1]:.1%} |", flush=True)
    print("\n| hot cell | cool cells | trials a cell | hot cell held | all cells |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for hot, cool, trials in ((0.5, 0.02, 10), (0.5, 0.02, 40), (0.3, 0.02, 20), (0.8, 0.05, 10)):
        held, every = hot_cell(hot, cool, trials, max(40, runs // 4))
        print(f"| {hot:.0%} | {cool:.0%} | {trials} | {held:.1%} | {every:.1%} |", flush=True)


if __name__ == "__main__":
    main()
