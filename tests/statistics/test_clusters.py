"""Prompts like these: several trials of one prompt are one observation, whatever they share."""

from __future__ import annotations

import math

import numpy as np
import pytest

from buttress.statistics import graded
from buttress.statistics.cells import evidence_below
from buttress.statistics.design import DesignEffect

RATE, ALPHA, EACH, PROMPTS, RUNS = 0.05, 0.05, 6, 120, 300


def outcomes(rng: np.random.Generator, correlation: float) -> np.ndarray:
    """Beta-binomial clusters with this intraclass correlation; shape (PROMPTS, EACH)."""
    a, b = (share * (1 / correlation - 1) for share in (RATE, 1 - RATE))
    rates = rng.beta(a, b, PROMPTS)
    return (rng.random((PROMPTS, EACH)) < rates[:, None]).astype(float)


def share_of_errors(correlation: float, *, by_prompt: bool, seed: int) -> float:
    """How often the rate is ever shown to lie below its true value, with looks every 10 prompts."""
    rng = np.random.default_rng(seed)
    ends = np.arange(10, PROMPTS + 1, 10)
    wrong = 0
    for _ in range(RUNS):
        seen = outcomes(rng, correlation)
        rows = []
        for end in ends:
            part = seen[:end].mean(axis=1) if by_prompt else seen[:end].ravel()
            rows.append(graded.spread(part))
        wrong += bool((evidence_below(np.array(rows), RATE) >= -math.log(ALPHA)).any())
    return wrong / RUNS


@pytest.mark.parametrize("correlation", [0.05, 0.1, 0.37, 0.8])
def test_prompt_means_keep_the_error(correlation: float) -> None:
    error = share_of_errors(correlation, by_prompt=True, seed=1)
    assert error <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


def test_trials_taken_as_independent_do_not() -> None:
    """What this guards against: at the correlation of attack templates the error is manifold."""
    assert share_of_errors(0.37, by_prompt=False, seed=1) > 2.5 * ALPHA


def test_the_design_effect_by_hand() -> None:
    """Two trials each of four prompts, outcomes (1,1) (0,0) (0,0) (0,1).

    Means 1, 0, 0, 1/2 around 3/8. Between: 2 (0.625² + 2 · 0.375² + 0.125²) / 3 = 0.458333…;
    within: (0 + 0 + 0 + 0.5) / 4 = 0.125; correlation (B - W) / (B + W) = 0.571428…
    """
    design = DesignEffect()
    pairs = [("a", 1), ("a", 1), ("b", 0), ("b", 0), ("c", 0), ("c", 0), ("d", 0), ("d", 1)]
    design.update((name, float(outcome)) for name, outcome in pairs)
    assert (design.trials, design.mean_size) == (8, 2.0)
    assert design.correlation == pytest.approx(4 / 7)
    assert design.effect == pytest.approx(1 + 4 / 7)


def test_prompts_asked_once_have_no_design_effect() -> None:
    design = DesignEffect()
    assert (design.correlation, design.effect) == (None, 1.0)
    design.update((str(place), float(place % 2)) for place in range(9))
    assert (design.correlation, design.effect) == (None, 1.0)


@pytest.mark.parametrize("correlation", [0.1, 0.37, 0.8])
def test_the_correlation_is_recovered(correlation: float) -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(40):
        design = DesignEffect()
        for prompt, row in enumerate(outcomes(rng, correlation)):
            design.update((str(prompt), float(outcome)) for outcome in row)
        assert design.correlation is not None
        found.append(design.correlation)
    assert np.mean(found) == pytest.approx(correlation, abs=0.06)


def test_clusters_of_different_sizes_by_hand() -> None:
    """Sizes 3 and 1 count as (9 + 1) / 4; outcomes (1, 1, 0) and (0).

    Between: 3 (2/3 - 1/2)² + (0 - 1/2)² = 1/3, one degree of freedom; within: 2/3 / 2 = 1/3. So
    prompts explain nothing: the correlation is 0 and the design effect 1.
    """
    design = DesignEffect()
    design.update([("a", 1.0), ("a", 1.0), ("a", 0.0), ("b", 0.0)])
    assert design.mean_size == 2.5
    assert design.correlation == pytest.approx(0.0)
    assert design.effect == pytest.approx(1.0)
    graded_outcomes = DesignEffect()
    graded_outcomes.update([("a", 0.9), ("a", 0.8), ("a", 0.7), ("b", 0.1), ("b", 0.3)])
    between = (3 * (0.8 - 0.56) ** 2 + 2 * (0.2 - 0.56) ** 2) / 1
    within = (0.02 + 0.02) / 3
    size = (5 - 13 / 5) / 1
    expected = (between - within) / (between + (size - 1) * within)
    assert graded_outcomes.correlation == pytest.approx(expected)
    assert graded_outcomes.effect == pytest.approx(1 + (13 / 5 - 1) * expected)


def test_before_the_first_trial_a_cluster_counts_as_one() -> None:
    assert DesignEffect().mean_size == 1.0
