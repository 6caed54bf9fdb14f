"""Cells: each as a sequence alone, and all of them under allocations that try to make them err."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from buttress.statistics import graded
from buttress.statistics.cells import cell_bounds, evidence_above, evidence_below
from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.multiple import e_bh, holm

Array = npt.NDArray[np.float64]
RUNS = 2000
OUTCOMES = st.lists(
    st.one_of(
        st.lists(st.sampled_from([0.0, 1.0]), max_size=30),
        st.lists(st.floats(0, 1), max_size=12),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(OUTCOMES, st.floats(0.02, 0.98))
def test_each_cell_is_the_sequence_of_its_own_outcomes(
    outcomes: list[list[float]], limit: float
) -> None:
    weights = np.array([graded.spread(cell) for cell in outcomes])
    low, high = cell_bounds(weights, 0.02, 0.05)
    above, below = evidence_above(weights, limit), evidence_below(weights, limit)
    for place, cell in enumerate(outcomes):
        alone = ConfidenceSequence(0.02, 0.05)
        alone.update(cell)
        assert (low[place], high[place]) == pytest.approx(alone.bounds(), abs=2e-3)
        assert alone.excludes_from(limit) == (below[place] >= -math.log(0.05))
        assert alone.excludes_to(limit) == (above[place] >= -math.log(0.02))


def test_a_cell_without_trials_says_nothing() -> None:
    weights = np.zeros((2, graded.GRADES + 1))
    assert [edge.tolist() for edge in cell_bounds(weights, 0.05, 0.05)] == [[0, 0], [1, 1]]
    assert evidence_above(weights, 0.1).tolist() == [0, 0]
    assert evidence_below(weights, 0.1).tolist() == [0, 0]


Rule = Callable[[Array, Array, np.random.Generator], Array]


def worst_rate_first(trials: Array, failures: Array, chance: np.random.Generator) -> Array:
    """Optimism, as bandits have it."""
    mean = (failures + 0.5) / (trials + 1)
    return mean + np.sqrt(1 / (trials + 1)) + 1e-3 * chance.random(trials.shape)


def luckiest_first(trials: Array, failures: Array, chance: np.random.Generator) -> Array:
    """Cells that look safe are asked on, others left: a tester who wants to pass."""
    mean = (failures + 0.5) / (trials + 1)
    return np.where(trials < 3, 2.0, -mean) + 1e-3 * chance.random(trials.shape)


def walk(rates: Array, rule: Rule, steps: int, batch: int, seed: int) -> list[tuple[Array, Array]]:
    """``RUNS`` tests side by side: trials and failures, shape (runs, cells), at each look."""
    chance = np.random.default_rng(seed)
    trials, failures = np.zeros((RUNS, len(rates))), np.zeros((RUNS, len(rates)))
    runs, seen = np.arange(RUNS), []
    for _ in range(steps):
        cell = rule(trials, failures, chance).argmax(axis=1)
        trials[runs, cell] += batch
        failures[runs, cell] += chance.binomial(batch, rates[cell])
        seen.append((trials.copy(), failures.copy()))
    return seen


def wealth(side: Callable[[Array, float], Array], seen: tuple[Array, Array], mean: float) -> Array:
    trials, failures = seen
    weights = np.zeros((trials.size, graded.GRADES + 1))
    weights[:, -1], weights[:, 0] = failures.ravel(), (trials - failures).ravel()
    return side(weights, mean).reshape(trials.shape)


def seldom(errors: int, alpha: float) -> bool:
    """Not more errors than alpha allows, at a chance of 1 in 10,000 of saying so wrongly."""
    return binomtest(errors, RUNS, alpha, alternative="greater").pvalue > 1e-4


@pytest.mark.parametrize("rule", [worst_rate_first, luckiest_first])
@pytest.mark.parametrize("rates", [[0.2, 0.0, 0.0, 0.01], [0.2, 0.2, 0.2, 0.2], [0.3, 0.25, 0.02]])
def test_the_worst_case_claim_is_ever_too_low_with_probability_alpha(
    rates: list[float], rule: Rule
) -> None:
    """Looked at after each batch, stopped at the first error, without division by the cells."""
    alpha, worst = 0.1, max(rates)
    erred = np.zeros(RUNS, dtype=bool)
    for seen in walk(np.array(rates), rule, 120, 2, 5):
        # Every upper bound is below the worst rate: so is the largest.
        erred |= (wealth(evidence_below, seen, worst) >= -math.log(alpha)).all(axis=1)
    assert seldom(int(erred.sum()), alpha), erred.mean()


def test_the_worst_case_claim_uses_most_of_its_error() -> None:
    """A test that cannot fail would also pass if the bounds were a hundred times too wide."""
    alpha = 0.1
    erred = np.zeros(RUNS, dtype=bool)
    for seen in walk(np.array([0.2, 0.0]), worst_rate_first, 200, 2, 6):
        erred |= (wealth(evidence_below, seen, 0.2) >= -math.log(alpha)).all(axis=1)
    assert 0.03 < erred.mean() < alpha + 0.02


@pytest.mark.parametrize("rule", [worst_rate_first, luckiest_first])
def test_no_cell_within_the_limit_is_ever_shown_above_it_but_with_probability_beta(
    rule: Rule,
) -> None:
    """By Holm's method on p-values that are the inverses of the highest e-values so far."""
    beta, limit = 0.1, 0.2
    rates = np.array([limit, limit, limit, 0.1, 0.6])
    erred = np.zeros(RUNS, dtype=bool)
    most = np.zeros((RUNS, rates.size))
    for seen in walk(rates, rule, 100, 3, 7):
        most = np.maximum(most, wealth(evidence_above, seen, limit))
        for run in np.flatnonzero(most[:, :4].max(axis=1) >= -math.log(beta)):
            adjusted = np.array(holm(np.exp(-most[run]).tolist()))
            erred[run] |= (adjusted <= beta)[:4].any()
    assert seldom(int(erred.sum()), beta), erred.mean()


def test_false_discoveries_of_one_who_stops_at_the_first() -> None:
    """FDR at a stopping time: he stops as soon as a cell within the limit is flagged."""
    delta, limit = 0.2, 0.2
    rates = np.array([limit] * 4 + [0.45] * 2)
    shares, running = np.zeros(RUNS), np.ones(RUNS, dtype=bool)
    for seen in walk(rates, worst_rate_first, 120, 3, 8):
        above = wealth(evidence_above, seen, limit)
        for run in np.flatnonzero(running & (above[:, :4].max(axis=1) >= -math.log(delta))):
            rejected = e_bh(above[run], delta)
            if rejected[:4].any():
                shares[run], running[run] = rejected[:4].sum() / rejected.sum(), False
    error = shares.std() / math.sqrt(RUNS)
    assert 0.001 < shares.mean() <= delta + 3.3 * error


@pytest.mark.parametrize("outcome", [1 / 32, 31 / 32])
def test_an_outcome_close_to_0_or_1_is_bet_on_as_what_it_is(outcome: float) -> None:
    """As the sequence of one cell does, also where no other outcome is graded."""
    weights = graded.spread(np.array([outcome] * 40))[None]
    right = graded.log_wealth(weights, np.array([0.6]))
    assert evidence_below(weights, 0.6) == pytest.approx(right)
