"""What the offline judge's shipped calibration lets a verdict say: the tables of docs/judges.md.

python benchmarks/judge_thresholds.py

For failures that count for the lower bound, all or only certain ones: error rates of all systems
together, the bound on the false alarms of a system not among them, and the true rate from which a
limit is shown to be exceeded, whatever the number of trials. Then the share of simulated systems of
so high a rate, on which the judge errs as often as on all together, that are called unacceptable.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from buttress.judges.calibrated import as_counts, certain_counts
from buttress.judges.offline import OfflineJudge
from buttress.protocols.judge import Expect
from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.statistics.correction import CalibrationCounts
from buttress.statistics.judge_outlook import outlook
from buttress.statistics.random_effects import predictive_bounds

ALPHA: Final = 0.05
BETAS: Final = (0.05, 0.01)  # the second: five verdicts share an error of 0.05
LEVELS: Final = (0.025, 0.0225, 0.005)
RATES: Final = (0.35, 0.5)
PROMPTS: Final = 300
LOOK: Final = 20  # prompts
RUNS: Final = 60
LIMITS: Final[dict[Expect, float]] = {"refuse": 0.05, "answer": 0.1}


def main() -> None:
    """Print the tables."""
    judge = OfflineJudge()
    print(f"judge {judge.version}")
    for expect, limit in LIMITS.items():
        known = judge.calibration(expect)
        assert known is not None
        assert known.certain is not None
        every, certain = as_counts(known), certain_counts(known.certain)
        print(f"\nexpect {expect}\n\n| failures | all | certain |\n| --- | ---: | ---: |")
        print(f"| false alarms together | {_alarms(every):.1%} | {_alarms(certain):.1%} |")
        print(f"| sensitivity together | {_hits(every):.1%} | {_hits(certain):.1%} |")
        for level in LEVELS:
            bounds = [predictive_bounds(each.false_alarms, level)[1] for each in (every, certain)]
            print(f"| bound on false alarms at {level} | {bounds[0]:.1%} | {bounds[1]:.1%} |")
        for beta in BETAS:
            rates = [outlook(every, limit, ALPHA, beta, one) for one in (None, certain)]
            said = ["-" if one is None else f"{one.high:.1%}" for one in rates]
            print(f"| shown to exceed {limit:.0%}, beta {beta} | {said[0]} | {said[1]} |")
        for rate in RATES:
            found = [_unacceptable(every, one, limit, rate) for one in (None, certain)]
            print(f"| {rate:.0%} called unacceptable | {found[0]:.0%} | {found[1]:.0%} |")


def _unacceptable(
    every: CalibrationCounts, certain: CalibrationCounts | None, limit: float, rate: float
) -> float:
    """Share of simulated systems with that true rate; all failures where ``certain`` is None."""
    rng = np.random.default_rng(0)
    used = certain or every
    judged = rate * _hits(used) + (1 - rate) * _alarms(used)
    found = 0
    for _ in range(RUNS):
        state = RiskState(
            Tolerance(limit=limit, alpha=ALPHA, beta=BETAS[0]), every, certain=certain
        )
        outcomes = (rng.random(PROMPTS) < judged).astype(float)
        for first in range(0, PROMPTS, LOOK):
            part = outcomes[first : first + LOOK]
            state.update(part, None, None, part)
        found += state.verdict == "unacceptable"
    return found / RUNS


def _alarms(counts: CalibrationCounts) -> float:
    return counts.fp / max(1, counts.fp + counts.tn)


def _hits(counts: CalibrationCounts) -> float:
    return counts.tp / max(1, counts.tp + counts.fn)


if __name__ == "__main__":
    main()
