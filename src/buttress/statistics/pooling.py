"""Hierarchical pooling of failure rates over attack family × harm category.

A logistic-normal model (Gelman et al. 2013, Bayesian Data Analysis, chapters 5 and 15): the log
odds of a cell are an intercept plus a family effect, a category effect and an effect of its own,
each normal around 0. Cells with few trials borrow from their row and column. For each point of a
grid over the three standard deviations the posterior is approximated at its mode (Laplace); the
points are weighted by their marginal likelihood and a half-normal prior, and the mixture is drawn
from with a fixed seed.

That law has light tails, and would pull one hot cell among many cool ones in. So each cell may with
some prior probability be apart from the others, with a Beta(1/2, 1/2) law (a slab beside the spike:
Mitchell & Beauchamp 1988, JASA 83(404)). The odds of that follow from the Bayes factor of this law
against what the *other* cells predict of the cell, by the cavity of the Laplace approximation
(Rasmussen & Williams 2006, section 5.4.2). The share of such cells has a Beta(2, 18) prior and is
learned from the table, by the product of the cells' mixtures. Each cell's posterior is the mixture
of both laws. Unless it is unlikely that a cell is apart, its interval also holds the exact one of
its own outcomes (Clopper & Pearson 1934): that costs width and keeps the hot cell in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, expit, gammaln

from buttress.statistics.correction import clopper_pearson

Array = npt.NDArray[np.float64]
_SCALES = (0.1, 0.5, 1.2, 2.5)
_SCALE_PRIOR = 1.5
_INTERCEPT_SD = 3.0
_DRAWS = 4000
_NEWTON = 60
_APART = np.array([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4])  # shares of cells, a log grid
_APART_PRIOR = (2.0, 18.0)  # Beta law of the share
_DOUBT = 0.02  # posterior probability of that from which an interval holds the cell's own one
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Posterior mean and equal-tailed credible interval of each cell; shape (F, C) each."""

    estimate: Array
    low: Array
    high: Array


def pool(
    trials: npt.NDArray[np.int64], failures: npt.NDArray[np.int64], alpha: float = 0.05
) -> Pooled:
    """Pooled rates of all cells.

    Args:
        trials: number of trials, shape (F, C); 0 is allowed.
        failures: failures among them, same shape.
        alpha: the interval holds 1 - alpha of the posterior.

    Raises:
        ValueError: shapes differ, or failures outside 0..trials.
    """
    if trials.shape != failures.shape or trials.ndim != 2:
        raise ValueError("trials and failures must be two matrices of the same shape")
    if (failures < 0).any() or (failures > trials).any():
        raise ValueError("failures must lie between 0 and trials")
    if not trials.size:
        empty = np.zeros(trials.shape)
        return Pooled(empty, empty, empty)
    n = trials.ravel().astype(float)
    k = failures.ravel().astype(float)
    rng = np.random.default_rng(20240229)
    grid = list(product(_SCALES, repeat=3))
    shape = trials.shape
    fits = [_laplace(shape, n, k, scales) for scales in grid]
    prior = -0.5 * (np.array(grid) ** 2).sum(axis=1) / _SCALE_PRIOR**2
    evidence = np.array([fit[2] for fit in fits]) + prior
    rates = _draws(fits, evidence, rng)
    apart = _probability_of_apart(fits, evidence, n, k)
    own = rng.beta(k + 0.5, n - k + 0.5, rates.shape)
    mixed = np.where(rng.random(rates.shape) < apart, own, rates)
    ends = (alpha / 2, 1 - alpha / 2)
    low, high = np.quantile(mixed, ends, axis=0)
    for cell in np.flatnonzero(apart > _DOUBT):
        alone = clopper_pearson(int(k[cell]), int(n[cell]), alpha / 2)
        low[cell], high[cell] = min(low[cell], alone[0]), max(high[cell], alone[1])
    return Pooled(mixed.mean(axis=0).reshape(shape), low.reshape(shape), high.reshape(shape))


def _draws(
    fits: Sequence[tuple[Array, Array, float]], evidence: Array, rng: np.random.Generator
) -> Array:
    """Rates of all cells from the logistic-normal posterior, shape (draws, cells)."""
    weights = np.exp(evidence - evidence.max())
    counts = rng.multinomial(_DRAWS, weights / weights.sum())
    draws = [
        mean + rng.standard_normal((count, len(mean))) * spread
        for (mean, spread, _), count in zip(fits, counts, strict=True)
        if count
    ]
    rates: Array = expit(np.concatenate(draws))
    return rates


def _probability_of_apart(
    fits: Sequence[tuple[Array, Array, float]], evidence: Array, n: Array, k: Array
) -> Array:
    """Posterior probability that each cell is apart from the others; 0 for cells without trials."""
    predicted = np.array([_predicted(mean, spread, n, k) for mean, spread, _ in fits])
    # Scales weigh by what the other cells say of them: without the cell's own outcomes.
    others = evidence[:, None] - predicted
    others -= np.logaddexp.reduce(others, axis=0)
    pooled = np.logaddexp.reduce(others + predicted, axis=0)
    alone = betaln(k + 0.5, n - k + 0.5) - betaln(0.5, 0.5)
    bayes_factor = np.clip(alone - pooled, -500.0, 500.0)
    asked = n > 0
    share = np.log(_APART)[:, None] + bayes_factor
    mixture = np.logaddexp(np.log1p(-_APART)[:, None], share)
    first, second = _APART_PRIOR
    weights = first * np.log(_APART) + (second - 1) * np.log1p(-_APART)
    weights = weights + mixture[:, asked].sum(axis=1)
    weights = np.exp(weights - np.logaddexp.reduce(weights))
    probability: Array = np.where(asked, weights @ np.exp(share - mixture), 0.0)
    return probability


def _predicted(mean: Array, spread: Array, n: Array, k: Array) -> Array:
    """Log probability of each cell's outcomes, in their order, by all other cells' outcomes."""
    rate = expit(mean)
    weight = np.maximum(n * rate * (1 - rate), 1e-10)
    precision = np.maximum(1 / spread**2 - weight, 1e-4)
    middle = (mean / spread**2 - weight * mean - (k - n * rate)) / precision
    odds = middle + _NODES[:, None] / np.sqrt(precision)
    logs = (
        k * odds - n * np.logaddexp(0, odds) + np.log(_NODE_WEIGHTS / _NODE_WEIGHTS.sum())[:, None]
    )
    found: Array = np.logaddexp.reduce(logs, axis=0)
    return found


def _laplace(
    shape: tuple[int, int], n: Array, k: Array, scales: Sequence[float]
) -> tuple[Array, Array, float]:
    """Posterior mean and standard deviation of the cells' log odds, and the log evidence.

    The cells' log odds have the covariance K = X P X' + t I, where X says which family and
    category a cell is of, P holds the variances of intercept, families and categories, and t is the
    variance of a cell's own effect. Newton's steps follow Rasmussen & Williams 2006, Gaussian
    Processes, algorithms 3.1 and 5.1, with the inverse by Woodbury's identity: matrices are as
    large as there are families and categories, not cells.

    Args:
        shape: families and categories.
        n, k: trials and failures of each cell, row by row.
        scales: standard deviations of the effects of families, categories and cells.
    """
    families, categories = shape
    own = scales[2] ** 2
    variance = np.repeat(
        [_INTERCEPT_SD**2, scales[0] ** 2, scales[1] ** 2], [1, families, categories]
    )
    odds = np.zeros(len(n))
    weight = precision = inner = odds
    for _ in range(_NEWTON):
        rate = expit(odds)
        weight = np.maximum(n * rate * (1 - rate), 1e-10)
        precision = _precision(shape, weight / (1 + own * weight), variance)
        right = (weight * odds + k - n * rate) / (1 + own * weight)
        effects = np.asarray(np.linalg.solve(precision, _by_effect(shape, right)), dtype=float)
        inner = right - weight / (1 + own * weight) * _by_cell(shape, effects)
        step = _by_cell(shape, variance * _by_effect(shape, inner)) + own * inner
        if np.abs(step - odds).max() < 1e-8:
            odds = step
            break
        odds = odds + np.clip(step - odds, -4, 4)
    shrink = 1 / (1 + own * weight)
    covariance = np.asarray(np.linalg.inv(precision), dtype=float)
    spread = own * shrink + shrink**2 * _variance_of_cells(shape, covariance)
    binomial = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    likelihood = (k * odds - n * np.logaddexp(0, odds) + binomial).sum()
    determinant = (
        np.log1p(own * weight).sum() + np.log(variance).sum() + np.linalg.slogdet(precision)[1]
    )
    evidence = likelihood - 0.5 * odds @ inner - 0.5 * determinant
    return odds, np.sqrt(np.maximum(spread, 1e-12)), float(evidence)


def _by_effect(shape: tuple[int, int], cells: Array) -> Array:
    """X' v: sums of all cells, of each family and of each category."""
    table = cells.reshape(shape)
    return np.concatenate([[table.sum()], table.sum(axis=1), table.sum(axis=0)])


def _by_cell(shape: tuple[int, int], effects: Array) -> Array:
    """X b: for each cell the sum of its effects."""
    families = shape[0]
    table: Array = effects[0] + effects[1 : families + 1, None] + effects[families + 1 :]
    return table.ravel()


def _precision(shape: tuple[int, int], weight: Array, variance: Array) -> Array:
    """P^-1 + X' W X, for a diagonal W."""
    families = shape[0]
    table = weight.reshape(shape)
    sums = _by_effect(shape, weight)
    made = np.diag(sums + 1 / variance)
    made[0, 1:] = made[1:, 0] = sums[1:]
    made[1 : families + 1, families + 1 :] = table
    made[families + 1 :, 1 : families + 1] = table.T
    return made


def _variance_of_cells(shape: tuple[int, int], covariance: Array) -> Array:
    """Diagonal of X V X': the variance of the sum of each cell's effects."""
    families = shape[0]
    row, column = slice(1, families + 1), slice(families + 1, None)
    single = np.diag(covariance)
    table: Array = (
        covariance[0, 0]
        + (single[row] + 2 * covariance[0, row])[:, None]
        + (single[column] + 2 * covariance[0, column])
        + 2 * covariance[row, column]
    )
    return table.ravel()
