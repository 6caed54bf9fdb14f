"""Hierarchical pooling of failure rates over attack family × harm category.

A logistic-normal model (Gelman et al. 2013, Bayesian Data Analysis, chapters 5 and 15): the log
odds of a cell are an intercept plus a family effect, a category effect and an effect of its own,
each around 0: families and categories normal, cells Student's t with few degrees of freedom, so that
one hot cell among many cool ones is not pulled in (outliers: O'Hagan 1979, JRSS-B 41(3)). Cells with
few trials borrow from their row and column. For each point of a grid over the three scales the
posterior is approximated at its mode (Laplace), where t is a normal law with a variance of each
cell's own, found by expectation and maximisation (Lange, Little & Taylor 1989, JASA 84(408)); the
points are weighted by their marginal likelihood and a half-normal prior, and the mixture is drawn
from with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import expit, gammaln

Array = npt.NDArray[np.float64]
_SCALES = (0.1, 0.5, 1.2, 2.5)
_SCALE_PRIOR = 1.5
_INTERCEPT_SD = 3.0
_DRAWS = 4000
_NEWTON = 60
_FREEDOM = 1.5  # degrees of freedom of cell effects
_REWEIGHTED = 6  # times that the cells' variances are found anew


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
    design = _design(*trials.shape)
    grid = list(product(_SCALES, repeat=3))
    fits = [_heavy_tailed(design, n, k, _deviations(trials.shape, scales)) for scales in grid]
    prior = -0.5 * (np.array(grid) ** 2).sum(axis=1) / _SCALE_PRIOR**2
    evidence = np.array([fit[2] for fit in fits]) + prior
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    chance = np.random.default_rng(20240229)
    counts = chance.multinomial(_DRAWS, weights)
    draws = [
        mean + chance.standard_normal((count, len(n))) * spread
        for (mean, spread, _), count in zip(fits, counts, strict=True)
        if count
    ]
    rates = expit(np.concatenate(draws))
    low, high = np.quantile(rates, (alpha / 2, 1 - alpha / 2), axis=0)
    shape = trials.shape
    return Pooled(rates.mean(axis=0).reshape(shape), low.reshape(shape), high.reshape(shape))


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


def _heavy_tailed(design: Array, n: Array, k: Array, sd: Array) -> tuple[Array, Array, float]:
    """As ``_laplace``, with cell effects that are Student's t of the scales in ``sd``."""
    cells = slice(sd.size - n.size, sd.size)
    scale, own = sd[cells], sd.copy()
    fit = _laplace(design, n, k, own)
    for _ in range(_REWEIGHTED):
        odds, spread, _ = fit
        # The cell's own share of its log odds, by the normal law that holds at present.
        effect, variance = _own_effects(design, own, odds, spread)
        square = (effect**2 + variance) / scale**2
        own[cells] = scale * np.sqrt((_FREEDOM + square) / (_FREEDOM + 1))
        fit = _laplace(design, n, k, own)
    return fit


def _own_effects(design: Array, sd: Array, odds: Array, spread: Array) -> tuple[Array, Array]:
    """Mean of each cell's own effect given all log odds, and about its variance."""
    scaled = design * sd
    inverse = np.linalg.inv(scaled @ scaled.T + 1e-9 * np.eye(odds.size))
    own = sd[sd.size - odds.size :] ** 2
    effect: Array = own * (inverse @ odds)
    share = own * np.diag(inverse)
    return effect, np.minimum(share**2 * spread**2 + own * (1 - share), own)


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
