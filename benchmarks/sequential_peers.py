"""Trials to a verdict and errors beside a sequential probability ratio test and ``confseq``.

    python benchmarks/sequential_peers.py [--runs 200]

*SPRT* (Wald 1945) is told beforehand the two rates that it has to tell apart, half and twice the
limit, and is the fastest test of these two; beyond them it promises nothing. *confseq* is
Howard & Waudby-Smith's package (``pip install confseq``, which compiles C++ and is best given an
environment of its own); without it the column is left out. All look after every eighth trial, with
errors of 5 % on each side.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.statistics.finite import FiniteSequence

try:
    from confseq.betting import betting_cs
except ImportError:
    betting_cs = None

Array = npt.NDArray[np.float64]
LIMIT: Final = 0.05
ALPHA: Final = 0.05
MOST: Final = 1600
STEP: Final = 8
Outcome = tuple[str, int]
Method = Callable[[Array], Outcome]


def ours(outcomes: Array) -> Outcome:
    """Prompts like these."""
    state = RiskState(Tolerance(limit=LIMIT, alpha=ALPHA, beta=ALPHA, minimum_trials=1))
    failures = outcomes.cumsum()
    looks = np.arange(STEP, outcomes.size + 1, STEP)
    accept, reject = state.decided(failures[looks - 1], looks)
    return _first(accept, reject, looks, outcomes.size)


def sprt(outcomes: Array) -> Outcome:
    """Half the limit against twice the limit."""
    low, high = LIMIT / 2, LIMIT * 2
    steps = np.where(outcomes > 0, np.log(high / low), np.log((1 - high) / (1 - low))).cumsum()
    looks = np.arange(STEP, outcomes.size + 1, STEP)
    edge = np.log((1 - ALPHA) / ALPHA)
    ratio = steps[looks - 1]
    return _first(ratio <= -edge, ratio >= edge, looks, outcomes.size)


def peer(outcomes: Array) -> Outcome:
    """confseq's betting confidence sequence, both sides with 5 %."""
    lower, upper = betting_cs(outcomes, alpha=2 * ALPHA, running_intersection=True, breaks=500)
    looks = np.arange(STEP, outcomes.size + 1, STEP)
    accept, reject = upper[looks - 1] <= LIMIT, lower[looks - 1] > LIMIT
    return _first(accept, reject, looks, outcomes.size)


def _first(accept: npt.NDArray[np.bool_], reject: npt.NDArray[np.bool_],
           looks: npt.NDArray[np.int64], most: int) -> Outcome:  # fmt: skip
    reached = np.flatnonzero(accept | reject)
    if not reached.size:
        return "undecided", most
    place = reached[0]
    return ("acceptable" if accept[place] else "unacceptable"), int(looks[place])


def this_set(outcomes: Array) -> Outcome:
    """The same outcomes as a set that is asked without replacement."""
    sequence = FiniteSequence(ALPHA, ALPHA, outcomes.size, (LIMIT,))
    for start in range(0, outcomes.size, STEP):
        sequence.update(outcomes[start : start + STEP])
        if sequence.excludes_from(LIMIT):
            return "acceptable", sequence.trials
        if sequence.excludes_to(LIMIT):
            return "unacceptable", sequence.trials
    return "undecided", outcomes.size


def row(name: str, method: Method, rate: float, runs: int, most: int) -> str:
    """Shares of verdicts and mean trials."""
    rng = np.random.default_rng(1)
    found = [method((rng.random(most) < rate).astype(float)) for _ in range(runs)]
    shares = [
        sum(verdict == each for verdict, _ in found) / runs
        for each in ("acceptable", "unacceptable", "undecided")
    ]
    cells = " | ".join(f"{share:.1%}" for share in shares)
    return f"| {rate:.1%} | {name} | {cells} | {np.mean([count for _, count in found]):.0f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    print(f"Limit {LIMIT:.0%}, at most {MOST} trials, {runs} runs.\n")
    head = "| true rate | method | acceptable | unacceptable | undecided | mean trials |"
    print(head + "\n| ---: | --- | ---: | ---: | ---: | ---: |")
    methods: list[tuple[str, Method, int]] = [("ours", ours, runs), ("SPRT", sprt, runs)]
    if betting_cs is not None:
        methods.append(("confseq", peer, runs))
    for rate in (0.0, 0.01, 0.025, 0.05, 0.1, 0.25):
        for name, method, count in methods:
            print(row(name, method, rate, count, MOST), flush=True)
    print(f"\nA set of 429 prompts.\n\n{head}\n| ---: | --- | ---: | ---: | ---: | ---: |")
    for rate in (0.01, 0.03, 0.08):
        print(row("this set", this_set, rate, max(10, runs // 4), 429), flush=True)
        print(row("prompts like these", ours, rate, runs, 429), flush=True)


if __name__ == "__main__":
    main()
