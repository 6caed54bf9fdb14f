"""What a judge's scores and unequal chances are worth when people label a few answers.

    python benchmarks/labelling.py --recorded FOLDER
    python benchmarks/labelling.py --coverage

The first takes recorded answers with labels, as if a person gave them one by one, and the offline
judge's scores by a model that never saw the answering model. Three ways, over the same seeds:

- *labels*: drawn uniformly, the judge left out;
- *with judge*: drawn uniformly, scores used (prediction-powered inference);
- *active*: drawn as ``buttress judge label`` does, scores used.

For each budget: the mean width of the 95 % interval that is valid at any time, how many uniform
labels without a judge have that mean width, the same for the standard deviation of the estimate
over seeds, and how many of the final intervals hold the share of failures.

The second simulates stores and asks how often an interval is wrong after any label at all.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from buttress.statistics.prediction_powered import (
    FLOOR,
    Draws,
    bounds,
    chances,
    estimate,
    follow,
    log_wealth,
)
from buttress.statistics.two_stage import system_bounds

Array = npt.NDArray[np.float64]
ALPHA = 0.025
BUDGETS = (25, 50, 100, 200)
CURVE = (10, 15, 25, 35, 50, 75, 100, 150, 200, 300, 400, 600)
WAYS = {"labels": (1.0, 0.0), "with judge": (1.0, None), "active": (FLOOR, None)}


def draw(scores: Array, truth: Array, count: int, floor: float, seed: int) -> Draws:
    chance = np.random.default_rng(seed)
    left = np.arange(len(scores))
    order, law = [], []
    for _ in range(min(count, len(scores) - 1)):
        q = chances(scores[left], floor)
        place = int(chance.choice(len(left), p=q))
        order.append(left[place])
        law.append(q[place])
        left = np.delete(left, place)
    places = np.array(order, dtype=np.int64)
    return Draws(scores, places, truth[places], np.array(law), floor)


def first(draws: Draws, count: int) -> Draws:
    return replace(
        draws,
        drawn=draws.drawn[:count],
        labels=draws.labels[:count],
        chances=draws.chances[:count],
    )


def measure(
    scores: Array, truth: Array, way: str, counts: tuple[int, ...], seeds: int
) -> tuple[Array, Array, Array]:
    """Mean widths, standard deviations of estimates, and shares of intervals that hold."""
    floor, power = WAYS[way]
    theta = truth.mean()
    widths, said, held = (np.zeros((seeds, len(counts))) for _ in range(3))
    for seed in range(seeds):
        draws = draw(scores, truth, max(counts), floor, seed)
        for place, count in enumerate(counts):
            path = follow(first(draws, count), ALPHA, power=power)
            low, high = bounds(path, ALPHA, ALPHA)
            widths[seed, place] = high - low
            said[seed, place] = estimate(path)
            held[seed, place] = low - 1e-9 <= theta <= high + 1e-9
    spread = np.sqrt(((said - theta) ** 2).mean(axis=0))
    return widths.mean(axis=0), spread, held.mean(axis=0)


def worth_by_width(width: float, curve: Array, counts: tuple[int, ...]) -> str:
    """Uniform labels with that mean width; widths fall with their number."""
    if width < curve[-1]:
        return f"> {counts[-1]}"
    return f"{np.interp(-width, -curve, counts):.0f}"


def worth_by_spread(spread: float, truth: Array) -> float:
    """Uniform labels with that standard deviation, by the formula for draws from N."""
    rate, size = truth.mean(), len(truth)
    return float(1 / (spread**2 * (size - 1) / size / (rate * (1 - rate)) + 1 / size))


def recorded(folder: Path, seeds: int) -> None:
    from training.labelled import recorded as load
    from training.offline_judge import judged

    from buttress.judges import model as stored

    console = Console(width=120)
    rows = load(folder)
    said = judged(stored.load().model, rows, "refuse")  # it has seen these answers in training
    every = np.array([one.score for one in said])
    used = [i for i, row in enumerate(rows) if row.harm is not None]
    kinds = {"all": used}
    for setting in ("baseline", "ablation"):
        kinds[setting] = [i for i in used if rows[i].system.endswith(setting)]
    for model in sorted({rows[i].system.split()[0] for i in used}):
        kinds[model] = [i for i in used if rows[i].system.split()[0] == model]
    for name, places in kinds.items():
        scores = np.clip(every[places], 0, 1)
        truth = np.array([rows[i].harm for i in places], dtype=float)
        curve_counts = tuple(count for count in CURVE if count < len(truth))
        curve = measure(scores, truth, "labels", curve_counts, seeds)[0]
        table = Table(
            title=f"{name}: {len(truth)} answers, {truth.mean():.3f} failures, judged "
            f"{(scores >= 0.5).mean():.3f}",
            title_justify="left", box=None, header_style="bold",
        )  # fmt: skip
        for column in ("labels", "way", "width", "of labels' width", "worth by width",
                       "SD", "worth by SD", "held"):  # fmt: skip
            table.add_column(column)
        results = {way: measure(scores, truth, way, BUDGETS, seeds) for way in WAYS}
        for place, budget in enumerate(BUDGETS):
            for way, (widths, spreads, held) in results.items():
                table.add_row(
                    str(budget), way, f"{widths[place]:.3f}",
                    f"{widths[place] / results['labels'][0][place]:.2f}",
                    worth_by_width(widths[place], curve, curve_counts),
                    f"{spreads[place]:.3f}", f"{worth_by_spread(spreads[place], truth):.0f}",
                    f"{held[place]:.2f}",
                )  # fmt: skip
        console.print(table, "")


def qualities(truth: Array, chance: np.random.Generator) -> dict[str, Array]:
    noise = chance.random(len(truth))
    return {
        "good": np.clip(truth * 0.8 + 0.2 * noise, 0, 1),
        "sure, 10 % wrong": np.where(noise < 0.1, 1 - truth, truth) * 0.98 + 0.01,
        "lenient": truth * noise**2,
        "useless": noise,
        "inverted": 1 - truth,
    }


def coverage(stores: int) -> None:
    """Errors at alpha 0.1 in all; 150 trials of a system, labels up to 80."""
    alpha = 0.05
    table = Table(title=f"{stores} stores a row, intervals of 90 %", title_justify="left",
                  box=None, header_style="bold")  # fmt: skip
    for column in ("judge", "rate", "way", "ever wrong here", "wrong for the system at 80"):
        table.add_column(column)
    for rate in (0.03, 0.15, 0.5):
        wrong: dict[tuple[str, str], int] = {}
        wrong_system: dict[tuple[str, str], int] = {}
        for store in range(stores):
            chance = np.random.default_rng((store, int(1000 * rate)))
            truth = (chance.random(150) < rate).astype(float)
            for judge, scores in qualities(truth, chance).items():
                for way in ("with judge", "active"):
                    floor, power = WAYS[way]
                    path = follow(draw(scores, truth, 80, floor, store), alpha, power=power)
                    key = (judge, way)
                    wrong[key] = wrong.get(key, 0) + ever_wrong(path, truth.mean(), alpha)
                    low, high = system_bounds(path, alpha, alpha)
                    wrong_system[key] = wrong_system.get(key, 0) + (not low <= rate <= high)
        for (judge, way), count in wrong.items():
            table.add_row(judge, f"{rate:g}", way, f"{count / stores:.3f}",
                          f"{wrong_system[judge, way] / stores:.3f}")  # fmt: skip
    Console(width=120).print(table)


def ever_wrong(path: object, theta: float, alpha: float) -> bool:
    from buttress.statistics.prediction_powered import Path as Labelled

    assert isinstance(path, Labelled)
    names = ("values", "least", "most", "bets", "weights")
    for count in range(1, len(path.values) + 1):
        early = replace(path, **{name: getattr(path, name)[:count] for name in names})
        for above in (True, False):
            if log_wealth(early, [theta], above=above)[0] >= -np.log(alpha):
                return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recorded", type=Path, metavar="FOLDER")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--seeds", type=int, default=100, metavar="N")
    parser.add_argument("--stores", type=int, default=1000, metavar="N")
    options = parser.parse_args()
    if options.recorded:
        recorded(options.recorded, options.seeds)
    if options.coverage:
        coverage(options.stores)


if __name__ == "__main__":
    main()
