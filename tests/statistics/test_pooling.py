"""Pooling: cells borrow from row and column, and the intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binom

from buttress.statistics.correction import clopper_pearson
from buttress.statistics.pooling import _laplace, pool


def test_an_empty_cell_borrows_from_its_row_and_column() -> None:
    trials = np.full((4, 6), 40)
    failures = np.full((4, 6), 2)
    failures[1] = 20  # one family fails much more
    failures[:, 2] += 6  # and one category a little more
    trials[1, 4] = trials[2, 4] = failures[1, 4] = failures[2, 4] = 0
    pooled = pool(trials, failures)
    assert 0.35 < pooled.estimate[1, 4] < 0.6
    assert pooled.estimate[2, 4] < 0.12
    assert pooled.high[1, 4] - pooled.low[1, 4] > pooled.high[1, 3] - pooled.low[1, 3]


def test_few_trials_are_shrunk_and_many_are_not() -> None:
    trials = np.full((3, 5), 200)
    failures = np.full((3, 5), 20)
    trials[0, 0], failures[0, 0] = 3, 3
    trials[2, 4], failures[2, 4] = 5000, 4000
    pooled = pool(trials, failures)
    # Three of three, where others are at a tenth and one is known to be at four fifths: the cell
    # may well be hot, so its interval holds both answers and its estimate lies between them.
    assert 0.3 < pooled.estimate[0, 0] < 0.8
    assert pooled.low[0, 0] < clopper_pearson(3, 3, 0.025)[0]
    assert pooled.high[0, 0] > 0.99
    assert pooled.estimate[2, 4] == pytest.approx(0.8, abs=0.02)
    alone = clopper_pearson(20, 200, 0.025)
    width = pooled.high[1, 1] - pooled.low[1, 1]
    assert width < 1.01 * (alone[1] - alone[0])
    trials[0, 0] = failures[0, 0] = 1
    assert pool(trials, failures).estimate[0, 0] < 0.5  # one of one says little


@pytest.mark.parametrize("failing", [0, 1])
def test_all_or_nothing(failing: int) -> None:
    trials = np.full((4, 12), 10)
    pooled = pool(trials, trials * failing)
    near, far = (pooled.high, pooled.low) if failing else (pooled.low, pooled.high)
    assert np.abs(near - failing).max() < 0.02
    assert np.abs(far - failing).max() < 0.1
    assert np.abs(pooled.estimate - failing).max() < 0.03


def test_one_cell_is_close_to_its_own_data() -> None:
    pooled = pool(np.array([[400]]), np.array([[40]]))
    low, high = clopper_pearson(40, 400, 0.025)
    assert pooled.estimate[0, 0] == pytest.approx(0.1, abs=0.01)
    assert pooled.low[0, 0] == pytest.approx(low, abs=0.01)
    assert pooled.high[0, 0] == pytest.approx(high, abs=0.01)


def test_no_trials_at_all_say_nothing() -> None:
    pooled = pool(np.zeros((2, 3), dtype=int), np.zeros((2, 3), dtype=int))
    assert (pooled.low < 0.05).all()
    assert (pooled.high > 0.95).all()
    assert pool(np.zeros((0, 3), dtype=int), np.zeros((0, 3), dtype=int)).estimate.shape == (0, 3)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32 - 1), st.sampled_from([3, 10**6]))
def test_any_table_gives_rates_in_order(
    families: int, categories: int, seed: int, most: int
) -> None:
    chance = np.random.default_rng(seed)
    trials = chance.integers(0, most + 1, (families, categories))
    failures = (trials * chance.random((families, categories))).astype(int)
    pooled = pool(trials, failures)
    for part in (pooled.low, pooled.estimate, pooled.high):
        assert part.shape == trials.shape
        assert np.isfinite(part).all()
    assert (pooled.low >= 0).all()
    assert (pooled.low <= pooled.estimate).all()
    assert (pooled.estimate <= pooled.high).all()
    assert (pooled.high <= 1).all()
    again = pool(trials, failures)
    assert (again.estimate == pooled.estimate).all()


@pytest.mark.parametrize(
    ("intercept", "scales"), [(-3.0, (0.8, 0.6, 0.4)), (-1.0, (1.2, 0.3, 0.3))]
)
def test_intervals_cover_in_the_model(intercept: float, scales: tuple[float, float, float]) -> None:
    """Tables drawn from the model with fixed scales, not those of the grid, 4 × 12 cells."""
    chance = np.random.default_rng(6)
    alpha, shape, tables = 0.1, (4, 12), 30
    covered, width, alone = [], [], []
    for _ in range(tables):
        effects = (
            intercept
            + scales[0] * chance.standard_normal((shape[0], 1))
            + scales[1] * chance.standard_normal((1, shape[1]))
            + scales[2] * chance.standard_normal(shape)
        )
        rates = expit(effects)
        trials = chance.integers(2, 40, shape)
        failures = chance.binomial(trials, rates)
        pooled = pool(trials, failures, alpha)
        covered.append(((pooled.low <= rates) & (rates <= pooled.high)).mean())
        width.append((pooled.high - pooled.low).mean())
        alone.append(
            np.mean([
                np.subtract(*clopper_pearson(int(k), int(n), alpha / 2)[::-1])
                for k, n in zip(failures.ravel(), trials.ravel(), strict=True)
            ])
        )  # fmt: skip
    error = np.std(covered) / np.sqrt(tables)
    assert np.mean(covered) > 1 - alpha - 0.03 - 2 * error
    assert np.mean(covered) < 0.985
    assert np.mean(width) < 0.85 * np.mean(alone)  # heavy tails cost width: 0.62 and 0.80


@pytest.mark.parametrize(
    ("trials", "failures", "message"),
    [
        ([[3]], [[4]], "between 0 and trials"),
        ([[3]], [[-1]], "between 0 and trials"),
        ([[3, 3]], [[1]], "same shape"),
        ([3], [1], "same shape"),
    ],
)
def test_impossible_tables_are_refused(
    trials: list[object], failures: list[object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        pool(np.array(trials), np.array(failures))


@pytest.mark.parametrize(
    ("hot", "cool", "trials"), [(0.5, 0.02, 10), (0.3, 0.02, 20), (0.8, 0.05, 5), (0.3, 0.05, 30)]
)
@pytest.mark.slow
def test_one_hot_cell_among_39_cool_ones_is_held(hot: float, cool: float, trials: int) -> None:
    """The 95 % interval of the hot cell holds its rate in at least 93 %, within the runs' error."""
    rng = np.random.default_rng(40)
    runs, held = 60, 0
    for _ in range(runs):
        rates = np.full((5, 8), cool)
        row, column = rng.integers(5), rng.integers(8)
        rates[row, column] = hot
        counts = np.full((5, 8), trials)
        pooled = pool(counts, rng.binomial(counts, rates), 0.05)
        held += bool(pooled.low[row, column] <= hot <= pooled.high[row, column])
        assert ((pooled.low <= rates) & (rates <= pooled.high)).mean() > 0.8
    assert held / runs >= 0.93 - 2 * np.sqrt(0.93 * 0.07 / runs)


@pytest.mark.parametrize("scales", [(0.1, 0.5, 1.2), (2.5, 0.1, 0.1), (0.5, 2.5, 2.5)])
def test_the_approximation_is_that_of_the_whole_matrices(scales: tuple[float, ...]) -> None:
    """Mode, variances and evidence, by the inverse of the covariance of all cells."""
    shape = (4, 6)
    rng = np.random.default_rng(3)
    n = rng.integers(0, 30, 24).astype(float)
    k = rng.binomial(n.astype(int), 0.2).astype(float)
    mode, spread, evidence = _laplace(shape, n, k, scales)
    family, category = np.divmod(np.arange(24), 6)
    covariance = 9.0 + np.eye(24) * scales[2] ** 2
    covariance += (family[:, None] == family) * scales[0] ** 2
    covariance += (category[:, None] == category) * scales[1] ** 2
    inverse = np.linalg.inv(covariance)
    rate = expit(mode)
    weight = np.diag(n * rate * (1 - rate))
    assert inverse @ mode == pytest.approx(k - n * rate, abs=1e-6)
    assert spread**2 == pytest.approx(np.diag(np.linalg.inv(inverse + weight)), abs=1e-6)
    likelihood = binom.logpmf(k, n, rate).sum() - 0.5 * mode @ inverse @ mode
    determinant = np.linalg.slogdet(np.eye(24) + covariance @ weight)[1]
    assert evidence == pytest.approx(likelihood - 0.5 * determinant, abs=1e-6)
