"""How many trials a verdict takes: sequential testing beside fixed sample sizes.

For a limit and a range of true failure rates, assessments are simulated that stop as soon as the
verdict is there, with a look every ``--batch`` trials, at the latest after ``--cap``. Beside it:

- *fixed, rate known*: the smallest sample with which an exact binomial test at the same level
  decides this very rate with the same power. Nobody knows the rate beforehand, so it can't be had;
- *fixed, planned*: the smallest sample that decides a rate of half the limit and one of twice the
  limit, whichever takes more. That is what a fixed-size test has to plan for, whatever the rate is;
- *every prompt ten times* over 400 prompts: 4,000 calls.

    python benchmarks/trials_to_decision.py
    python benchmarks/trials_to_decision.py --judge 190,10,392,8   # tp, fn, tn, fp of its labels
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.statistics.correction import CalibrationCounts

TEN_TIMES_400 = 4000
GRID = {
    0.05: (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.25, 0.5),
    0.15: (0.0, 0.02, 0.05, 0.08, 0.11, 0.15, 0.2, 0.25, 0.35, 0.5, 0.8),
}
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    mean: float
    p90: float
    accepted: float
    rejected: float


def boundaries(state: RiskState, looks: Counts) -> tuple[Counts, Counts]:
    """At each look, the most failures that accept (-1: none) and the least that reject."""
    edges = []
    for which in (0, 1):
        low, high = np.full(looks.shape, -1), looks + 1
        while (high - low > 1).any():
            middle = np.clip((low + high) // 2, 0, looks)
            said = state.decided(middle, looks)[which]
            below = said if which == 0 else ~said
            apart = high - low > 1
            low = np.where(apart & below, middle, low)
            high = np.where(apart & ~below, middle, high)
        edges.append(low if which == 0 else high)
    return edges[0], edges[1]


def simulate(
    state: RiskState, judged: float, looks: Counts, runs: int, chance: np.random.Generator
) -> Measured:
    """Assessments of a system whose judged failure rate is ``judged``."""
    accept, reject = boundaries(state, looks)
    steps = np.diff(looks, prepend=0)
    totals = np.zeros(runs, dtype=np.int64)
    trials = np.full(runs, looks[-1])
    said = np.zeros(runs, dtype=np.int64)
    for place, step in enumerate(steps):
        totals += chance.binomial(step, judged, runs)
        here = (totals <= accept[place]).astype(int) - (totals >= reject[place])
        new = (said == 0) & (here != 0)
        said[new], trials[new] = here[new], looks[place]
    return Measured(
        float(trials.mean()),
        float(np.quantile(trials, 0.9)),
        float((said > 0).mean()),
        float((said < 0).mean()),
    )


def fixed_size(limit: float, rate: float, alpha: float, power: float, most: int) -> int | None:
    """Smallest exact one-sided binomial test at ``alpha`` that decides ``rate``; None beyond."""
    n = np.arange(1, most + 1)
    if rate < limit:
        edge = binom.ppf(alpha, n, limit)
        edge = np.where(binom.cdf(edge, n, limit) > alpha, edge - 1, edge)
        enough = binom.cdf(edge, n, rate) >= power
    else:
        edge = binom.ppf(1 - alpha, n, limit) + 1
        enough = binom.sf(edge - 1, n, rate) >= power
    return int(n[enough][0]) if enough.any() else None


def table(limit: float, options: argparse.Namespace, counts: CalibrationCounts | None) -> None:
    tolerance = Tolerance(limit=limit)
    state = RiskState(tolerance, counts)
    first = -(-tolerance.minimum_trials // options.batch) * options.batch
    looks = np.arange(first, options.cap + 1, options.batch)
    chance = np.random.default_rng(options.seed)
    power, most = 1 - tolerance.alpha, 40_000
    planned = max(
        fixed_size(limit, rate, tolerance.alpha, power, most) or most
        for rate in (limit / 2, 2 * limit)
    )
    print(f"\nLimit {limit:.0%}, α = β = {tolerance.alpha}")
    print(f"Fixed, planned for {limit / 2:.1%} and {2 * limit:.0%}: {planned} trials.\n")
    print(
        "| true rate | acceptable | unacceptable | undecided | mean trials | 90 % need at most "
        "| fixed, rate known | fixed, planned / ours | ten times 400 / ours |"
    )
    print("| ---: " * 9 + "|")
    for rate in GRID[limit]:
        judged = rate
        if counts is not None:
            true, false = counts.tp / (counts.tp + counts.fn), counts.fp / (counts.tn + counts.fp)
            judged = false + rate * (true - false)
        ours = simulate(state, judged, looks, options.runs, chance)
        known = None if rate == limit else fixed_size(limit, rate, tolerance.alpha, power, most)
        undecided = max(0.0, 1 - ours.accepted - ours.rejected)
        print(
            f"| {rate:.1%} | {ours.accepted:.1%} | {ours.rejected:.1%} "
            f"| {undecided:.1%} | {ours.mean:.0f} | {ours.p90:.0f} "
            f"| {known or '–'} | {planned / ours.mean:.1f} | {TEN_TIMES_400 / ours.mean:.1f} |"
        )


def clear_cases() -> None:
    """Trials to a verdict where every trial says the same."""
    print("\n| limit | all safe: acceptable after | all failed: unacceptable after |")
    print("| ---: | ---: | ---: |")
    n = np.arange(1, 2000)
    for limit in (0.01, 0.05, 0.10, 0.15, 0.30, 0.50):
        state = RiskState(Tolerance(limit=limit, minimum_trials=1))
        safe, failed = state.decided(np.zeros_like(n), n)[0], state.decided(n, n)[1]
        print(f"| {limit:.0%} | {n[safe][0]} | {n[failed][0]} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--runs", type=int, default=4000, help="assessments simulated for each rate"
    )
    parser.add_argument("--batch", type=int, default=8, help="trials between looks")
    parser.add_argument("--cap", type=int, default=4000, help="trials at most")
    parser.add_argument("--judge", metavar="TP,FN,TN,FP", help="labels that the judge was tried on")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts = CalibrationCounts(*map(int, options.judge.split(","))) if options.judge else None
    print(
        f"{options.runs} assessments for each rate, a look every {options.batch} trials, ", end=""
    )
    print("outcomes taken as true" if counts is None else f"judge with {counts}")
    for limit in GRID:
        table(limit, options, counts)
    if counts is None:
        clear_cases()


if __name__ == "__main__":
    main()
