"""Outcomes between 0 and 1: the same mixture, and as tight as their variance allows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from buttress.statistics import confidence, graded
from buttress.statistics.confidence import ConfidenceSequence
from tests.statistics.exact import Array
from tests.statistics.hedged import widths

MEAN = st.floats(0.01, 0.99)
OUTCOMES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def mixture(outcomes: Array, m: float) -> float:
    """Log wealth by general-purpose integration, with no grid for the outcomes."""
    angle = np.arcsin(np.sqrt(m))

    def log_product(u: float) -> float:
        bet = (np.sin(u * angle) ** 2 - m) / (m * (1 - m))
        return float(np.log(np.maximum(1 + bet * (outcomes - m), 1e-300)).sum())

    nodes = np.linspace(1e-6, 1, 400)
    most = max(log_product(u) for u in nodes)
    peak = float(nodes[np.argmax([log_product(u) for u in nodes])])
    value = quad(lambda u: np.exp(log_product(u) - most), 0, 1, points=[peak], limit=300)[0]
    return float(most + np.log(value))


@given(st.integers(0, 3000), st.integers(0, 3000), MEAN)
def test_for_0_and_1_it_is_the_closed_form(failures: int, successes: int, m: float) -> None:
    weights = np.zeros((1, graded.GRADES + 1))
    weights[0, [0, -1]] = successes, failures
    if failures + successes:
        closed = float(confidence.log_wealth(failures, failures + successes, m))
        # Far below 1 the closed form underflows to a wealth of nothing, which is all the same.
        found = max(-5.0, float(graded.log_wealth(weights, [m])[0]))
        assert found == pytest.approx(max(-5.0, closed), abs=1e-5, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(OUTCOMES, MEAN)
def test_the_grid_only_ever_lowers_the_wealth_and_only_a_little(
    outcomes: list[float], m: float
) -> None:
    values = np.array(outcomes)
    true = mixture(values, m)
    ours = float(graded.log_wealth(graded.spread(values)[None], [m])[0])
    assert ours <= true + 1e-5
    blind = float(confidence.log_wealth(values.sum(), len(values), m))
    assert ours >= blind - 1e-5 * (1 + abs(blind))


@given(st.lists(st.floats(0, 1), max_size=200))
def test_spreading_keeps_number_and_mean(outcomes: list[float]) -> None:
    weights = graded.spread(outcomes)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(len(outcomes))
    assert weights @ graded.GRID == pytest.approx(sum(outcomes), abs=1e-9)


@given(OUTCOMES, MEAN, st.floats(0, 1))
def test_the_wealth_rises_with_the_candidate(outcomes: list[float], m: float, step: float) -> None:
    weights = np.repeat(graded.spread(outcomes)[None], 2, axis=0)
    first, second = graded.log_wealth(weights, [m, m + step * (0.99 - m)])
    assert first <= second + 1e-4


@pytest.mark.parametrize("m", [0.1, 0.4])
@pytest.mark.slow
def test_three_valued_outcomes_are_covered_at_every_look(m: float) -> None:
    """On the grid the wealth is the exact martingale, so this is as sharp as for 0/1."""
    alpha, runs, horizon = 0.1, 800, 60
    chance = np.random.default_rng(4)
    values = np.array([0.0, 0.5, 1.0])
    law = np.array([1 - 1.4 * m, 0.8 * m, 0.6 * m])
    places = np.searchsorted(graded.GRID, values)
    weights = np.zeros((runs, graded.GRADES + 1))
    crossed = np.zeros((2, runs), dtype=bool)
    for _ in range(horizon):
        weights[np.arange(runs), places[chance.choice(3, p=law, size=runs)]] += 1
        for side, (seen, mean) in enumerate(((weights, m), (weights[:, ::-1], 1 - m))):
            crossed[side] |= graded.log_wealth(seen, np.full(runs, mean)) >= -np.log(alpha)
    limit = alpha + 3 * np.sqrt(alpha * (1 - alpha) / runs)
    assert (crossed.mean(axis=1) <= limit).all()
    assert crossed.mean(axis=1).max() > 0.2 * alpha


def test_a_constant_outcome_is_soon_known() -> None:
    """The closed form would take 0.5 for the mean of coin flips."""
    sequence = ConfidenceSequence(0.025, 0.025)
    sequence.update([0.5] * 200)
    assert sequence.low > 0.45
    assert sequence.high < 0.55
    assert sequence.excludes_from(0.55)
    assert not sequence.excludes_from(0.505)
    assert sequence.excludes_to(0.45)
    assert not sequence.excludes_to(0.495)


@pytest.mark.parametrize("name", ["0/1, rate 0.05", "0/1, rate 0.5", "beta(10, 10)"])
def test_as_tight_as_hedged_capital(name: str) -> None:
    hedged, ours, blind = widths(name, 200, 25)
    assert ours <= 1.1 * hedged
    assert ours <= blind + 1e-6


def test_each_side_of_a_graded_sequence_has_its_own_error() -> None:
    """alpha_low ≠ alpha_high, outcomes all 0.1: between the two thresholds one side decides."""
    low, high = 0.001, 0.2
    for count in range(1, 200):
        weights = graded.spread(np.full(count, 0.1))
        wealth = float(graded.log_wealth(weights[None, :], [0.3])[0])
        if -math.log(high) < wealth < -math.log(low):
            break
    assert -math.log(high) < wealth < -math.log(low)
    sequence = ConfidenceSequence(low, high)
    sequence.update(np.full(count, 0.1))
    assert not sequence.binary
    assert sequence.excludes_from(0.3)  # needs log(1 / alpha_high) only
    mirrored = ConfidenceSequence(low, high)
    mirrored.update(np.full(count, 0.9))
    assert not mirrored.excludes_to(0.7)  # the same wealth, but needs log(1 / alpha_low)
    swapped = ConfidenceSequence(high, low)
    swapped.update(np.full(count, 0.9))
    assert swapped.excludes_to(0.7)
    assert not ConfidenceSequence(high, low, *_state(sequence)).excludes_from(0.3)


def _state(sequence: ConfidenceSequence) -> tuple[int, float, np.ndarray, np.ndarray]:
    return sequence.trials, sequence.total, sequence.weights, sequence.highs
