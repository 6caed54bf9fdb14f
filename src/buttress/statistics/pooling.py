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
    design = _design(*trials.shape)
    fits = [_laplace(design, n, k, _deviations(trials.shape, scales)) for scales in grid]
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
    shape = trials.shape
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


def _design(families: int, categories: int) -> Array:
    """Rows are cells; columns intercept, families, categories, cells."""
    cells = families * categories
    row, column = np.divmod(np.arange(cells), categories)
    return np.concatenate(
        [
            np.ones((cells, 1)),
            np.eye(families)[row],
            np.eye(categories)[column],
            np.eye(cells),
        ],
        axis=1,
    )


def _deviations(shape: tuple[int, ...], scales: Sequence[float]) -> Array:
    """Standard deviation of each effect, in the order of the design's columns."""
    families, categories = shape
    sizes = (1, families, categories, families * categories)
    return np.repeat([_INTERCEPT_SD, *scales], sizes)


def _laplace(design: Array, n: Array, k: Array, sd: Array) -> tuple[Array, Array, float]:
    """Posterior mean and standard deviation of the cells' log odds, and the log evidence.

    Works with the (small) covariance K of the cells' log odds rather than with the effects:
    Rasmussen & Williams 2006, Gaussian Processes, algorithms 3.1 and 5.1.
    """
    scaled = design * sd
    covariance = scaled @ scaled.T
    odds = np.zeros(len(n))
    chol = np.eye(len(n))
    root = np.zeros(len(n))
    inner = np.zeros(len(n))
    for _ in range(_NEWTON):
        rate = expit(odds)
        weight = np.maximum(n * rate * (1 - rate), 1e-10)
        root = np.sqrt(weight)
        chol = np.linalg.cholesky(np.eye(len(n)) + root[:, None] * covariance * root)
        right = weight * odds + k - n * rate
        half = np.linalg.solve(chol, root * (covariance @ right))
        inner = right - root * np.linalg.solve(chol.T, half)
        step = covariance @ inner
        if np.abs(step - odds).max() < 1e-8:
            odds = step
            break
        odds = odds + np.clip(step - odds, -4, 4)
    solved = np.linalg.solve(chol, root[:, None] * covariance)
    variance = np.maximum(np.diag(covariance) - (solved**2).sum(axis=0), 1e-12)
    binomial = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    likelihood = (k * odds - n * np.logaddexp(0, odds) + binomial).sum()
    evidence = likelihood - 0.5 * odds @ inner - np.log(np.diag(chol)).sum()
    return odds, np.sqrt(variance), float(evidence)
