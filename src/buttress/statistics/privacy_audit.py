"""A lower bound on the ε of differential privacy from one training run.

Steinke, Nasr & Jagielski 2023, "Privacy auditing with one (1) training run" (arXiv:2305.08846).
For each of m canaries a fair coin decided whether it was trained on. From the scores alone somebody
guesses r of the coins and is right v times. Under (ε, δ)-differential privacy v is hardly larger
than a binomial variable with success probability e^ε / (1 + e^ε); theorem 5.2 says by how much at
most. The bound is the largest ε that v refutes.

How many guesses are best is not known beforehand. They are tried in a fixed grid of shares, each at
an equal part of the error probability; a bound that is the best of many at full error each holds
nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import binom

_SHARES: Final = (1.0, 0.5, 0.25, 0.125)  # of the canaries that are guessed
_LARGEST: Final = 64.0  # no ε above is looked for
_STEPS: Final = 60


@dataclass(frozen=True, slots=True)
class AuditBound:
    """``epsilon_low`` is wrong with probability ≤ alpha; from ``correct`` of ``guesses`` coins."""

    epsilon_low: float
    guesses: int
    correct: int
    p_value_of_none: float  # of ε = 0 with these guesses, before the correction for the grid


def tail_bound(canaries: int, guesses: int, correct: int, epsilon: float, delta: float) -> float:
    """Largest probability of ``correct`` or more right guesses under (ε, δ).

    Theorem 5.2: P[Binomial(r, q) ≥ v] + 2 m δ max_i P[v > Binomial(r, q) ≥ v - i] / i.
    """
    if correct <= 0:
        return 1.0
    q = 1.0 / (1.0 + math.exp(-epsilon))
    whole = float(binom.sf(correct - 1, guesses, q))
    if delta > 0:
        steps = np.arange(1, correct + 1)
        inner = np.cumsum(binom.pmf(correct - steps, guesses, q)) / steps
        whole += 2.0 * canaries * delta * float(inner.max())
    return min(1.0, whole)


def epsilon_bound(
    canaries: int,
    guesses: int,
    correct: int,
    delta: float,
    alpha: float,
    *,
    two_steps: bool = False,
) -> float:
    """The largest ε whose ``tail_bound`` is at most ``alpha``; 0 where none is.

    Args:
        canaries: number of coins.
        guesses: number of coins guessed.
        correct: right guesses.
        delta: δ.
        alpha: error probability.
        two_steps: ε and δ are of adding or removing a record while a coin replaces one: then the
            coin is hidden by (2 ε, (1 + e^ε) δ) only.
    """

    def tail(epsilon: float) -> float:
        if not two_steps:
            return tail_bound(canaries, guesses, correct, epsilon, delta)
        wide = min(1.0, (1.0 + math.exp(epsilon)) * delta)
        return tail_bound(canaries, guesses, correct, 2.0 * epsilon, wide)

    if tail(0.0) > alpha:
        return 0.0
    low, high = 0.0, _LARGEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if tail(middle) <= alpha:
            low = middle
        else:
            high = middle
    return low


def audit_guesses(
    confident: Sequence[bool],
    *,
    canaries: int,
    delta: float,
    alpha: float,
    two_steps: bool = False,
) -> AuditBound:
    """The bound from guesses in order of falling confidence, True where right.

    The order must not depend on which guesses are right. ``two_steps`` as in ``epsilon_bound``.
    """
    right = np.concatenate([[0], np.cumsum(np.asarray(confident, dtype=int))])
    counts = sorted({max(1, round(share * len(confident))) for share in _SHARES})
    best = AuditBound(-1.0, 0, 0, 1.0)
    for guesses in counts:
        correct = int(right[guesses])
        bound = epsilon_bound(
            canaries, guesses, correct, delta, alpha / len(counts), two_steps=two_steps
        )
        none = tail_bound(canaries, guesses, correct, 0.0, delta)
        if (bound, -none) > (best.epsilon_low, -best.p_value_of_none):
            best = AuditBound(bound, guesses, correct, none)
    return best


def largest_bound(
    guesses: int, canaries: int, *, delta: float, alpha: float, two_steps: bool = False
) -> float:
    """The bound if every guess were right: no audit with so many canaries can show more."""
    return audit_guesses(
        [True] * guesses, canaries=canaries, delta=delta, alpha=alpha, two_steps=two_steps
    ).epsilon_low


def pair_guesses(scores: Sequence[tuple[str, float, float]]) -> list[bool]:
    """Guesses on pairs of which a coin chose one: the higher score was trained on.

    Args:
        scores: id, score of the one trained on, score of the other.

    Returns:
        Whether each guess is right, the widest apart first. Equal scores are guessed wrong.
    """
    order = sorted(scores, key=lambda one: (-abs(one[1] - one[2]), _order(one[0])))
    return [included > left_out for _, included, left_out in order]


def single_guesses(scores: Sequence[tuple[str, float, bool]]) -> list[bool]:
    """Guesses on canaries that were trained on or not, each by a coin of its own.

    The higher half by score is guessed to be in, the lower half out; from the ends to the middle.

    Args:
        scores: id, score, whether it was trained on.
    """
    order = sorted(scores, key=lambda one: (-one[1], _order(one[0])))
    half = len(order) // 2
    guesses = []
    for high, low in zip(order[:half], reversed(order[len(order) - half :]), strict=True):
        guesses += [high[2], not low[2]]
    return guesses


def _order(name: str) -> bytes:
    """Breaks ties by something that no coin decided."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
