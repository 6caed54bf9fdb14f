"""Calls to find the worst attack × category cell with a probability of 90 %.

Grids of 18 attacks × 16 categories, drawn anew for each run:

- *hot cell*: one cell fails at 60 %, all others at 2 %;
- *hot row*: one attack works at 30 to 50 % throughout and at 70 % in one category, others at 5 %;
- *gradient*: attacks and categories add up on the log-odds scale, with nothing else;
- *random effects*: the same with normal effects and one of each cell's own;
- *near ties*: one cell at 60 %, five at 50 %, the rest between 2 and 30 %.

A way to ask has found the worst cell at a number of calls if the cell that it would name is the one
with the highest true rate. Told is the least number from which on 90 % of the runs name it. Ours is
``buttress.risk.bandit`` in batches of 16. Beside it: the same without what rows and columns tell,
KL-LUCB (Kaufmann & Kalyanakrishnan 2013, COLT), successive rejects (Audibert, Bubeck & Munos 2010,
COLT), which must know its budget beforehand, each cell in turn, and cells drawn at random. The last
two name the cell with the highest observed rate or that with the highest posterior mean, whichever
finds it sooner.

    python benchmarks/worst_cell.py
    python benchmarks/worst_cell.py --evidence evidence.db --probe attack-resistance
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from buttress.evidence.store import EvidenceStore
from buttress.risk.bandit import Bandit

Array = npt.NDArray[np.float64]
ATTACKS, CATEGORIES = 18, 16
SURE = 0.9


def hot_cell(chance: np.random.Generator) -> Array:
    rates = np.full((ATTACKS, CATEGORIES), 0.02)
    rates[chance.integers(ATTACKS), chance.integers(CATEGORIES)] = 0.6
    return rates


def hot_row(chance: np.random.Generator) -> Array:
    rates = np.full((ATTACKS, CATEGORIES), 0.05)
    row = chance.integers(ATTACKS)
    rates[row] = chance.uniform(0.3, 0.5, CATEGORIES)
    rates[row, chance.integers(CATEGORIES)] = 0.7
    return rates


def gradient(chance: np.random.Generator) -> Array:
    rows = chance.permutation(np.linspace(-2, 2, ATTACKS))
    return np.asarray(
        expit(rows[:, None] + chance.permutation(np.linspace(-1.5, 1.5, CATEGORIES)) - 3)
    )


def random_effects(chance: np.random.Generator) -> Array:
    odds = chance.normal(-3, 1, ATTACKS)[:, None] + chance.normal(0, 0.7, CATEGORIES)
    return np.asarray(expit(odds + chance.normal(0, 0.7, odds.shape)))


def near_ties(chance: np.random.Generator) -> Array:
    rates = chance.uniform(0.02, 0.3, (ATTACKS, CATEGORIES))
    hot = chance.permutation(rates.size)[:6]
    rates.flat[hot] = 0.5
    rates.flat[hot[0]] = 0.6
    return rates


SHAPES = {
    "hot cell": hot_cell, "hot row": hot_row, "gradient": gradient,
    "random effects": random_effects, "near ties": near_ties,
}  # fmt: skip


def observed(trials: Array, failures: Array) -> int:
    """The cell with the highest observed rate."""
    return int(np.where(trials > 0, failures / np.maximum(trials, 1), -1.0).argmax())


class Ours:
    batch = 16

    def __init__(self, shape: tuple[int, int], seed: int, *, shrink: bool = True) -> None:
        rows, columns = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
        if not shrink:  # one row and one column: a cell learns from the overall rate only
            rows, columns = np.zeros_like(rows), np.zeros_like(columns)
        self.bandit = Bandit(rows, columns, seed)

    def choose(self, trials: Array, failures: Array) -> list[int]:
        none, all_left = np.zeros(len(trials)), np.full(len(trials), np.inf)
        return self.bandit.choose(trials, failures, none, all_left, self.batch)

    def name(self, trials: Array, failures: Array) -> set[int]:
        return {int(self.bandit.means(trials, failures).argmax())}


class Alone(Ours):
    def __init__(self, shape: tuple[int, int], seed: int) -> None:
        super().__init__(shape, seed, shrink=False)


class KlLucb:
    batch = 16

    def __init__(self, shape: tuple[int, int], seed: int) -> None:
        self.chance = np.random.default_rng(seed)
        self.cells = shape[0] * shape[1]

    def choose(self, trials: Array, failures: Array) -> list[int]:
        if (untried := np.flatnonzero(trials == 0)).size:
            return [int(cell) for cell in self.chance.permutation(untried)[: self.batch]]
        rate = failures / trials
        low, high = rate.copy(), np.ones_like(rate)
        for _ in range(20):
            middle = np.clip((low + high) / 2, 1e-12, 1 - 1e-12)
            with np.errstate(divide="ignore", invalid="ignore"):
                apart = np.where(rate > 0, rate * np.log(rate / middle), 0.0)
                apart += np.where(rate < 1, (1 - rate) * np.log((1 - rate) / (1 - middle)), 0.0)
            inside = trials * apart <= np.log(trials.sum()) + 1  # the exploration rate that is used
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        leader = int(np.lexsort((low, rate))[-1])
        low[leader] = -1.0
        rivals = np.argsort(-low)[: self.batch // 2]
        return [leader] * (self.batch - len(rivals)) + [int(cell) for cell in rivals]

    def name(self, trials: Array, failures: Array) -> set[int]:
        return {observed(trials, failures)}


class InTurn:
    def __init__(self, shape: tuple[int, int], seed: int) -> None:
        self.chance = np.random.default_rng(seed)
        self.both = Ours(shape, seed)
        self.batch = shape[0] * shape[1]
        self.order = self.chance.permutation(self.batch)

    def choose(self, trials: Array, failures: Array) -> list[int]:
        del trials, failures  # it doesn't look
        return [int(cell) for cell in self.order]

    def name(self, trials: Array, failures: Array) -> set[int]:
        return {observed(trials, failures)}


class InTurnShrunk(InTurn):
    def name(self, trials: Array, failures: Array) -> set[int]:
        return self.both.name(trials, failures)


class AtRandom(InTurn):
    def choose(self, trials: Array, failures: Array) -> list[int]:
        del trials, failures
        return [int(cell) for cell in self.chance.integers(self.batch, size=self.batch)]


class AtRandomShrunk(AtRandom, InTurnShrunk):
    pass


Way = Callable[[tuple[int, int], int], Ours | KlLucb | InTurn]


def found_at(
    way: Way, draw: Callable[[np.random.Generator], Array], runs: int, cap: int
) -> tuple[int | None, float]:
    """Calls from which on the worst cell is named surely enough (None: not by ``cap``), and how
    often it is named at ``cap``."""
    looks = np.unique(np.geomspace(64, cap, 60).astype(int))
    right = np.zeros(len(looks))
    for run in range(runs):
        chance = np.random.default_rng([7, run])
        grid = draw(chance)
        rates, worst = grid.ravel(), int(grid.argmax())
        asker = way((grid.shape[0], grid.shape[1]), run)
        trials, failures = np.zeros(rates.size), np.zeros(rates.size)
        place = 0
        while place < len(looks):
            cells = np.array(asker.choose(trials, failures))
            failed = chance.random(cells.size) < rates[cells]
            spent = int(trials.sum())
            ends = [int(look) for look in looks[place:] if look <= spent + cells.size]
            done = 0
            for end in ends:
                part = slice(done, end - spent)
                np.add.at(trials, cells[part], 1)
                np.add.at(failures, cells[part], failed[part])
                done = end - spent
                right[place] += worst in asker.name(trials, failures)
                place += 1
            np.add.at(trials, cells[done:], 1)
            np.add.at(failures, cells[done:], failed[done:])
    return first_sure(looks, right / runs)


def first_sure(looks: npt.NDArray[np.int64], right: Array) -> tuple[int | None, float]:
    """From the first look at which it is sure enough, unless it falls clearly below later."""
    margin = 0.03  # noise of a simulation
    for place, share in enumerate(right):
        if share >= SURE and (right[place:] >= SURE - margin).all():
            return int(looks[place]), float(right[-1])
    return None, float(right[-1])


def successive_rejects(
    draw: Callable[[np.random.Generator], Array], runs: int, cap: int
) -> tuple[int | None, float]:
    """A run for each budget, since it must be known beforehand."""
    budgets = np.unique(np.geomspace(400, cap, 16).astype(int))
    right = np.zeros(len(budgets))
    for place, budget in enumerate(budgets):
        for run in range(runs):
            chance = np.random.default_rng([7, run])
            rates = draw(chance).ravel()
            worst, alive = int(rates.argmax()), np.arange(rates.size)
            scale = 0.5 + (1 / np.arange(2, rates.size + 1)).sum()
            failures, each = np.zeros(rates.size), 0
            for phase in range(1, rates.size):
                size = max(
                    each, int(np.ceil((budget - rates.size) / scale / (rates.size + 1 - phase)))
                )
                failures[alive] += chance.binomial(size - each, rates[alive])
                each = size
                order = failures[alive] + chance.random(alive.size) * 1e-6
                alive = np.delete(alive, int(order.argmin()))
            right[place] += int(alive[0]) == worst
    return first_sure(budgets, right / runs)


def recorded(path: Path, probe: str | None) -> Callable[[np.random.Generator], Array]:
    """The rates that a run left in its evidence, cells without a trial left at 0."""
    outcomes: dict[tuple[str, str], list[float]] = defaultdict(list)
    with EvidenceStore.open(path, read_only=True) as store:
        for trial in store.trials(probe=probe):
            outcomes[trial.attack, trial.category].append(trial.outcome)
    attacks = sorted({attack for attack, _ in outcomes})
    categories = sorted({category for _, category in outcomes})
    rates = np.zeros((len(attacks), len(categories)))
    for (attack, category), seen in outcomes.items():
        rates[attacks.index(attack), categories.index(category)] = np.mean(seen)
    print(f"{path.name}: {len(attacks)} attacks × {len(categories)} categories")
    return lambda _: rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=200, help="simulated grids of each shape")
    parser.add_argument("--cap", type=int, default=8000, help="calls at most, adaptive ways")
    parser.add_argument("--plain-cap", type=int, default=60_000, help="calls at most, others")
    parser.add_argument("--shape", action="append", choices=list(SHAPES), help="only these")
    parser.add_argument("--evidence", type=Path, help="an evidence store whose rates are taken")
    parser.add_argument("--probe", help="the probe in that store")
    options = parser.parse_args()
    grids: dict[str, Callable[[np.random.Generator], Array]] = {
        name: SHAPES[name] for name in options.shape or SHAPES
    }
    if options.evidence:
        grids = {"recorded": recorded(options.evidence, options.probe)}
    print(f"{options.runs} runs; calls until 90 % name the worst cell\n")
    print("| grid | ours | without rows and columns | KL-LUCB | successive rejects | in turn "
          "| at random | in turn / ours | seconds |")  # fmt: skip
    print("| --- |" + " ---: |" * 8)
    for name, draw in grids.items():
        start = time.perf_counter()
        cap, far = options.cap, options.plain_cap
        ours = found_at(Ours, draw, options.runs, cap)
        others = [found_at(way, draw, options.runs, cap) for way in (Alone, KlLucb)]
        others.append(successive_rejects(draw, options.runs, far))
        for ways in ((InTurn, InTurnShrunk), (AtRandom, AtRandomShrunk)):
            both = [found_at(way, draw, options.runs, far) for way in ways]
            others.append(min(both, key=lambda found: found[0] or far + 1))
        caps = [cap, cap, cap, far, far, far]
        told = [
            f"{calls:,}" if calls else f"> {most:,} ({share:.0%})"
            for (calls, share), most in zip([ours, *others], caps, strict=True)
        ]
        turn = others[3][0]
        ratio = "–"
        if ours[0]:
            ratio = f"{turn / ours[0]:.1f}" if turn else f"> {far / ours[0]:.1f}"
        taken = time.perf_counter() - start
        print(f"| {name} | " + " | ".join(told) + f" | {ratio} | {taken:.0f} |", flush=True)


if __name__ == "__main__":
    main()
