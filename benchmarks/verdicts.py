"""Verdicts of the real command on systems whose true rates are known.

    python benchmarks/verdicts.py [--runs N] [--only NAME ...]

Each run writes a manifest and a system into a folder and calls ``buttress assess`` (and ``buttress
diff --paired``), as a user does; nothing goes over a network. What a scenario must not say has a
nominal error, and the number of runs that say it is held against the binomial law: a row passes
where that many or more have a probability of 1 % at least. Exit code 1 where a row does not.

- *knowledge*: a function answers questions of a bank, checked exactly, for both estimands;
- *family*: five such systems, all just within the limit; unacceptable if any is.
- *clusters*: requests under attacks, all variants of one alike or not, by a calibration file.
- *judge*: answers of ``judge_styles_tenth.jsonl``, by the offline judge as it ships.
- *pairs*: a system and a changed one on the same questions.
- *labels*: a recording of which a person labels 30 answers, then 150, in the order of
  ``buttress judge label``, before ``assess --resume``: how wide the interval was,
  was said to become, and is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from scipy.stats import binom
from tests.workflows.known_systems import (
    ACCUSED,
    ALPHA,
    BETA,
    CLEARED,
    LABELS,
    LIMIT,
    LOWEST,
    Scenario,
    clusters,
    judge,
    knowledge,
    labelled,
    pairs,
    simulate,
)


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    for estimand in ("prompts-like-these", "this-set"):
        name = f"knowledge, {estimand}"
        for rate in (0.0, 0.05):
            yield Scenario(name, f"{rate:.0%}", knowledge(rate, 400, estimand), ACCUSED, BETA)
        at = knowledge(LIMIT, 400, estimand)
        yield Scenario(f"{name}, accused", f"{LIMIT:.0%}", at, ACCUSED, BETA)
        above = LIMIT + 1 / 400
        just = knowledge(above, 400, estimand)
        yield Scenario(f"{name}, cleared", f"{above:.2%}", just, CLEARED, ALPHA)
        for rate in (0.2, 0.5):
            yield Scenario(name, f"{rate:.0%}", knowledge(rate, 400, estimand), CLEARED, ALPHA)
    family = knowledge(LIMIT, 200, "prompts-like-these", assets=5)
    yield Scenario("family of five", f"{LIMIT:.0%} each", family, ACCUSED, BETA)
    yield Scenario("clusters, accused", f"{LIMIT:.0%}", clusters(LIMIT, 60), ACCUSED, BETA)
    yield Scenario("clusters, cleared", "10.1%", clusters(LIMIT + 0.001, 60), CLEARED, ALPHA)
    yield Scenario("judge", "0%", judge(0.0, 300), ACCUSED, BETA)
    yield Scenario("judge", "5%", judge(0.05, 300), ACCUSED, BETA)
    for rate in (0.06, 0.2, 0.5, 1.0):
        yield Scenario("judge", f"{rate:.0%}", judge(rate, 300), CLEARED, ALPHA)
    regression = frozenset({"regression"})
    yield Scenario("pairs, the same", "20%, 20%", pairs(0.0, 0.0, 200), regression, 0.05)
    yield Scenario("pairs, others fail", "20%, 20%", pairs(0.075, 0.3, 200), regression, 0.05)
    yield Scenario("pairs, better", "20%, 10%", pairs(0.0, 0.5, 200), regression, 0.05)
    yield Scenario("pairs, worse", "20%, 28%", pairs(0.1, 0.0, 200))
    yield Scenario("pairs, much worse", "20%, 44%", pairs(0.3, 0.0, 200))


def main() -> int:
    """Print the table; 1 where a row has more errors than chance explains."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=40, metavar="N")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="words in names")
    options = parser.parse_args()
    print("| scenario | true rate | runs | what came out | errors | nominal | |")
    print("| --- | --- | ---: | --- | ---: | ---: | --- |")
    failed = False
    for scenario in scenarios():
        if options.only and not any(word in scenario.name for word in options.only):
            continue
        row = simulate(scenario, options.runs)
        said = ", ".join(f"{share} {name}" for name, share in row.found.most_common())
        nominal = f"{scenario.nominal:.0%}" if scenario.forbidden else "–"
        mark = "holds" if row.passes else "FAILS"
        failed |= not row.passes
        print(f"| {scenario.name} | {scenario.rate} | {options.runs} | {said} | "
              f"{row.errors} | {nominal} | {mark if scenario.forbidden else ''} |",
              flush=True)  # fmt: skip
    if not options.only or "labels" in options.only:
        failed |= not print_labels(options.runs)
    return int(failed)


def print_labels(runs: int, size: int = 300) -> bool:
    """The table of labels; whether no row excludes the true rate more often than by chance."""
    print("\n| true rate | labels | mean width | promised | holds the true rate | nominal |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    fine = True
    for rate in (0.02, 0.1, 0.3):
        found = []
        for seed in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                found.append(labelled(Path(folder), rate, size, seed))
        for labels in (0, *LABELS):
            told = [one.promised for one in found if one.asked == labels and one.promised]
            held = sum(one.held[labels] for one in found)
            width = np.mean([one.wide[labels] for one in found])
            fine &= bool(binom.sf(runs - held - 1, runs, ALPHA + BETA) >= LOWEST)
            print(f"| {rate:.0%} | {labels} | {width:.3f} | "
                  f"{f'{np.mean(told):.3f} ({len(told)})' if told else ''} | {held} of {runs} | "
                  f"{1 - ALPHA - BETA:.0%} |", flush=True)  # fmt: skip
    return fine


if __name__ == "__main__":
    sys.exit(main())
