"""Calls to a verdict: ours beside fixed-size tests and what garak and promptfoo spend by default.

Every figure is of simulated assessments at α = β = 0.05, with a look every ``--batch`` trials, at
least the policy's 20 trials. Beside ours:

- *fixed, same guarantee*: the smallest exact binomial tests with errors ≤ 5 % at the limit itself,
  that decide half the limit and one and a half times the limit 19 times in 20 (the indifference
  region lies between), whichever takes more;
- *fixed, two points*: the smallest single threshold with errors ≤ 5 % at those two rates only. It
  promises nothing about rates in between, ours errs at most 5 % at every rate;
- *garak*: every prompt of the set, at most 256, five times (``generations: 5`` and
  ``soft_probe_prompt_cap: 256`` in its garak.core.yaml);
- *promptfoo*: five prompts a plugin (``numTests`` in its configuration reference), here a plugin a
  harm category, for each strategy; one strategy here.

Those two print a rate. Their error is how often that rate lies on the other side of the limit, all
generations taken as independent, which flatters garak.

    python benchmarks/calls_to_verdict.py --recorded FOLDER
    python benchmarks/calls_to_verdict.py --evidence evidence.db --probe attack-resistance
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from scipy.stats import binom
from trials_to_decision import boundaries, fixed_size, simulate

from buttress.evidence.store import EvidenceStore
from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState

Counts = npt.NDArray[np.int64]
LIMITS = (0.05, 0.15)
RATES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0, 6.0)  # of the limit
FAR = (0.1, 3.0)  # at most, at least: far from the limit
PROMPTS, CATEGORIES = 426, 16  # of the built-in set
GARAK_CAP, GARAK_TIMES, PROMPTFOO_TESTS = 256, 5, 5
ERROR, MOST = 0.05, 40_000


def two_points(low: float, high: float) -> int:
    """The smallest sample with a threshold that errs ≤ 5 % at both rates."""
    for n in range(1, MOST):
        edge = binom.ppf(1 - ERROR, n, low)
        if binom.cdf(edge, n, high) <= ERROR:
            return n
    return MOST


def wrong_side(calls: int, rate: float, limit: float) -> float:
    """How often the observed rate lies on the other side of the limit."""
    most = np.floor(calls * limit + 1e-9)
    return float(binom.sf(most, calls, rate) if rate <= limit else binom.cdf(most, calls, rate))


def simulated(limit: float, options: argparse.Namespace) -> None:
    tolerance = Tolerance(limit=limit)
    state = RiskState(tolerance)
    looks = np.arange(24, options.cap + 1, options.batch)
    chance = np.random.default_rng(options.seed)
    low, high = limit / 2, 1.5 * limit
    same = max(fixed_size(limit, rate, ERROR, 1 - ERROR, MOST) or MOST for rate in (low, high))
    points = two_points(low, high)
    garak, promptfoo = GARAK_TIMES * min(PROMPTS, GARAK_CAP), PROMPTFOO_TESTS * CATEGORIES
    print(f"\n**Limit {limit:.0%}**: fixed, same guarantee {same}; fixed, two points {points}; "
          f"garak {garak}; promptfoo {promptfoo}\n")  # fmt: skip
    print("| true rate | ours, mean | wrong | undecided | fixed, same / ours | two points / ours "
          "| garak / ours | garak wrong | promptfoo / ours | promptfoo wrong |")  # fmt: skip
    print("| ---: " * 10 + "|")
    ratios, spent = [], []
    for part in RATES:
        rate = part * limit
        ours = simulate(state, rate, looks, options.runs, chance)
        wrong = ours.rejected if rate <= limit else ours.accepted
        undecided = max(0.0, 1 - ours.accepted - ours.rejected)
        row = [calls / ours.mean for calls in (same, points, garak, promptfoo)]
        ratios.append(row)
        spent.append(ours.mean)
        print(
            f"| {rate:.2%} | {ours.mean:.0f} | {wrong:.1%} | {undecided:.1%} | {row[0]:.1f} "
            f"| {row[1]:.1f} | {row[2]:.1f} | {wrong_side(garak, rate, limit):.1%} "
            f"| {row[3]:.1f} | {wrong_side(promptfoo, rate, limit):.1%} |"
        )
    parts = np.array(RATES)
    outside = (parts <= 0.5) | (parts >= 1.5)
    far = (parts <= FAR[0]) | (parts >= FAR[1])
    for name, chosen in (("all rates", parts >= 0), ("outside it", outside), ("far", far)):
        means = np.array(ratios)[chosen].mean(axis=0)
        print(f"\nMean ratio, {name}: same guarantee {means[0]:.1f}, two points {means[1]:.1f}, "
              f"garak {means[2]:.1f}, promptfoo {means[3]:.1f}", end="")  # fmt: skip
    all_calls = np.array([same, points, garak, promptfoo]) / np.mean(spent)
    print("\nOf all calls together: " + ", ".join(f"{ratio:.1f}" for ratio in all_calls), end="")
    at_limit = simulate(state, limit, looks, options.runs, chance)
    print(f"\n\nAt the limit itself: acceptable {at_limit.accepted:.1%}, unacceptable "
          f"{at_limit.rejected:.1%}, by {looks[-1]} trials.")  # fmt: skip


def twenty(options: argparse.Namespace) -> None:
    """Zhou et al. 2026 reach conclusions "sometimes with as few as 20 observations"."""
    print("\n**Within 20 observations**, a look after each, no minimum of trials\n")
    print(
        "| limit | " + " | ".join(f"rate {rate:.0%}" for rate in (0.0, 0.3, 0.5, 0.8, 1.0)) + " |"
    )
    print("| ---: " * 6 + "|")
    chance = np.random.default_rng(options.seed)
    looks = np.arange(1, 21)
    for limit in (0.05, 0.15, 0.3, 0.5):
        state = RiskState(Tolerance(limit=limit, minimum_trials=1))
        cells = []
        for rate in (0.0, 0.3, 0.5, 0.8, 1.0):
            found = simulate(state, rate, looks, options.runs, chance)
            cells.append(f"{found.accepted + found.rejected:.0%}, mean {found.mean:.1f}")
        print(f"| {limit:.0%} | " + " | ".join(cells) + " |")


def replayed(outcomes: Counts, limit: float, runs: int, batch: int) -> tuple[float, float, float]:
    """Mean trials, share undecided, share on the other side of the set's own rate.

    Each run asks the prompts in another order, none twice; undecided costs the whole set.
    """
    state = RiskState(Tolerance(limit=limit))
    looks = np.unique(np.minimum(np.arange(24, len(outcomes) + batch, batch), len(outcomes)))
    accept, reject = boundaries(state, looks)
    chance = np.random.default_rng(1)
    orders = np.argsort(chance.random((runs, len(outcomes))), axis=1)
    totals = np.cumsum(outcomes[orders], axis=1)[:, looks - 1]
    said = (totals <= accept).astype(int) - (totals >= reject)
    decided = said != 0
    first = np.where(decided.any(axis=1), decided.argmax(axis=1), len(looks) - 1)
    verdict = said[np.arange(runs), first]
    truth = 1 if outcomes.mean() <= limit else -1
    return (
        float(looks[first].mean()),
        float((verdict == 0).mean()),
        float((verdict == -truth).mean()),
    )


def table(sets: dict[str, Counts], categories: int, options: argparse.Namespace) -> None:
    print("\n**Answers that were given**: prompts in a new order for each run, none twice\n")
    print("| answers | rate | limit | ours, mean | undecided | wrong | garak / ours "
          "| promptfoo / ours |")  # fmt: skip
    print("| --- |" + " ---: |" * 7)
    for name, outcomes in sets.items():
        for limit in LIMITS:
            mean, undecided, wrong = replayed(outcomes, limit, options.runs, options.batch)
            garak = GARAK_TIMES * min(len(outcomes), GARAK_CAP)
            print(
                f"| {name} | {outcomes.mean():.0%} | {limit:.0%} | {mean:.0f} | {undecided:.0%} "
                f"| {wrong:.1%} | {garak / mean:.1f} "
                f"| {PROMPTFOO_TESTS * categories / mean:.1f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=4000, help="assessments for each rate")
    parser.add_argument("--batch", type=int, default=8, help="trials between looks")
    parser.add_argument("--cap", type=int, default=8000, help="trials at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recorded", type=Path, help="folder of recorded answers with labels")
    parser.add_argument("--evidence", type=Path, help="the evidence of a run over a whole set")
    parser.add_argument("--probe", help="the probe in that evidence")
    options = parser.parse_args()
    print(f"{options.runs} assessments for each figure, a look every {options.batch} trials")
    for limit in LIMITS:
        simulated(limit, options)
    twenty(options)
    if options.recorded:
        sets, categories = labelled(options.recorded)
        table(sets, categories, options)
    if options.evidence:
        with EvidenceStore.open(options.evidence, read_only=True) as store:
            trials = [
                (one.outcome >= 0.5, one.category) for one in store.trials(probe=options.probe)
            ]
        outcomes = np.array([failed for failed, _ in trials], dtype=np.int64)
        kinds = len({category for _, category in trials})
        table({options.probe or options.evidence.name: outcomes}, kinds, options)


def labelled(folder: Path) -> tuple[dict[str, Counts], int]:
    """Labels of the harmful requests by model and setting, and the number of categories."""
    found: dict[str, list[int]] = {}
    categories = set()
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_bytes().splitlines():
            record = orjson.loads(line)
            if record.get("label") is not None and record["expect"] == "refuse":
                name = f"{record['model']}, {record['setting']}"
                found.setdefault(name, []).append(record["label"])
                categories.add(record["category"])
    return {name: np.array(labels) for name, labels in found.items()}, len(categories)


if __name__ == "__main__":
    main()
