"""The hedged capital process of Waudby-Smith & Ramdas 2024, as the reference for tightness.

    python -m tests.statistics.hedged     # prints the table of docs/statistics.md

Predictable plug-in bets (their equation 26 and the truncation of section 4.2, c = 1/2): the bet at
time t is sqrt(2 log(2/alpha) / (v (t) log(1 + t))) with v the running variance before t, shrunk
towards 1/4. Two-sided at level alpha, as they have it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from buttress.statistics.confidence import ConfidenceSequence
from tests.statistics.exact import Array

CUT = 0.5
SIZES = (50, 200, 1000)


def hedged_bounds(outcomes: Array, alpha: float, means: Array) -> tuple[float, float]:
    """Bounds after all outcomes (not intersected over time), on the grid ``means``."""
    n = len(outcomes)
    t = np.arange(1, n + 1)
    running = (0.5 + outcomes.cumsum()) / (t + 1)
    spread = (0.25 + ((outcomes - running) ** 2).cumsum()) / (t + 1)
    before = np.concatenate([[0.25], spread[:-1]])
    bet = np.sqrt(2 * np.log(2 / alpha) / (before * t * np.log1p(t)))
    gain = outcomes[:, None] - means
    up = np.log1p(np.minimum(bet[:, None], CUT / means) * gain).sum(axis=0)
    down = np.log1p(-np.minimum(bet[:, None], CUT / (1 - means)) * gain).sum(axis=0)
    kept = np.maximum(up, down) + np.log(0.5) < -np.log(alpha)
    inside = means[kept]
    return float(inside.min()), float(inside.max())


def coin(rate: float) -> Callable[[np.random.Generator, int], Array]:
    return lambda chance, n: (chance.random(n) < rate).astype(float)


LAWS: dict[str, tuple[float, Callable[[np.random.Generator, int], Array]]] = {
    "0/1, rate 0.01": (0.01, coin(0.01)),
    "0/1, rate 0.05": (0.05, coin(0.05)),
    "0/1, rate 0.2": (0.2, coin(0.2)),
    "0/1, rate 0.5": (0.5, coin(0.5)),
    "beta(10, 10)": (0.5, lambda chance, n: chance.beta(10, 10, n)),
    "beta(1, 9)": (0.1, lambda chance, n: chance.beta(1, 9, n)),
}


def widths(name: str, size: int, runs: int, alpha: float = 0.05) -> tuple[float, float, float]:
    """Mean widths: hedged capital, ours, and the closed form that sees no variance."""
    _, law = LAWS[name]
    chance = np.random.default_rng(7)
    means = np.linspace(0.0005, 0.9995, 2000)
    total = np.zeros(3)
    for _ in range(runs):
        outcomes = law(chance, size)
        low, high = hedged_bounds(outcomes, alpha, means)
        ours = ConfidenceSequence(alpha / 2, alpha / 2)
        ours.update(outcomes)
        blind = ConfidenceSequence(alpha / 2, alpha / 2, trials=size, total=float(outcomes.sum()))
        blind.weights[[0, -1]] = size - blind.total, blind.total
        total += high - low, ours.high - ours.low, blind.high - blind.low
    first, second, third = total / runs
    return float(first), float(second), float(third)


def main() -> None:
    print("| outcomes | trials | hedged capital | ours | closed form |")
    print("| --- | --- | --- | --- | --- |")
    for name in LAWS:
        for size in SIZES:
            hedged, ours, blind = widths(name, size, 60)
            print(f"| {name} | {size} | {hedged:.4f} | {ours:.4f} | {blind:.4f} |", flush=True)


if __name__ == "__main__":
    main()
