"""What the rates of some systems say about the rate of one that is not among them.

Each system has a rate of its own, drawn from a beta law with mean m and intraclass correlation r;
its count is binomial given the rate, so beta-binomial (Skellam 1948). Neither m nor r is known:
m has a uniform prior and r a Beta(1, 3) one (a judgement: rates of systems under one judge are more
alike than not), and the law of a new system's rate is the beta averaged over their posterior,
computed on a grid. So the bounds for a new system widen with the spread between the
systems, with how few there are (r's own uncertainty), and with how few labels each has. That is a
prediction interval (Higgins, Thompson & Spiegelhalter 2009, JRSS-A 172, section 4), and a bound at
error ``alpha`` is the quantile of the predictive law at ``alpha``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln

from buttress.statistics.root_finding import first_at_least_zero

Array = npt.NDArray[np.float64]
Counts = tuple[tuple[int, int], ...]  # successes and trials of each system
_MEANS: Final = 80
_CORRELATIONS: Final = 40
_NARROW: Final = 1e-12
_NEGLIGIBLE: Final = 1e-7  # posterior weight


def predictive_bounds(systems: Sequence[tuple[int, int]], alpha: float) -> tuple[float, float]:
    """Bounds on a new system's rate, each wrong with probability ``alpha`` under the model.

    Args:
        systems: successes and trials of each system; those without trials say nothing.
        alpha: error of either bound, in (0, 1).

    Returns:
        Lower and upper bound; (0, 1) without any trial.
    """
    known = tuple((k, n) for k, n in systems if n)
    return _bounds(known, alpha) if known else (0.0, 1.0)


def predictive_mean(systems: Sequence[tuple[int, int]]) -> float:
    """Expectation of a new system's rate; 0.5 without any trial."""
    known = tuple((k, n) for k, n in systems if n)
    if not known:
        return 0.5
    mean, _, weight = _posterior(known)
    return float((mean * weight).sum())


def correlation(systems: Sequence[tuple[int, int]]) -> float:
    """Posterior mean of the intraclass correlation, in (0, 1)."""
    known = tuple((k, n) for k, n in systems if n)
    if not known:
        return 0.5
    _, rho, weight = _posterior(known)
    return float((rho * weight).sum())


@lru_cache(maxsize=256)
def _bounds(systems: Counts, alpha: float) -> tuple[float, float]:
    a, b, weight = _law(systems)

    def quantile(level: float) -> float:
        def beyond(rate: Array) -> Array:
            return np.array([(betainc(a, b, rate[0]) * weight).sum() - level])

        return float(first_at_least_zero(beyond, np.zeros(1), np.ones(1), _NARROW)[0][0])

    return quantile(alpha), quantile(1 - alpha)


def _law(systems: Counts) -> tuple[Array, Array, Array]:
    """The predictive law: parameters of betas and their weights, shape (k,) each."""
    mean, rho, weight = _posterior(systems)
    kept = weight > _NEGLIGIBLE
    mean, rho, weight = mean[kept], rho[kept], weight[kept]
    size = 1 / rho - 1
    return mean * size, (1 - mean) * size, weight / weight.sum()


@lru_cache(maxsize=256)
def _posterior(systems: Counts) -> tuple[Array, Array, Array]:
    """Means, correlations and their posterior weights on a grid, shape (k,) each.

    The grid is even in the quantile of the mean on the arcsine scale, where counts near 0 or all
    leave it smooth; weights carry the steps of both scales.
    """
    angle = (np.arange(_MEANS) + 0.5) / _MEANS * np.pi / 2
    means = np.sin(angle) ** 2
    steps = np.sin(2 * angle)
    share = (np.arange(_CORRELATIONS) + 0.5) / _CORRELATIONS
    rhos = share**2  # finer near 0, where most of it happens
    mean, rho = (each.ravel() for each in np.meshgrid(means, rhos, indexing="ij"))
    prior = (steps[:, None] * (2 * share * (1 - rhos) ** 2)[None, :]).ravel()
    size = 1 / rho - 1
    a, b = mean * size, (1 - mean) * size
    log = np.log(prior) - len(systems) * betaln(a, b)
    for successes, trials in systems:
        log += betaln(a + successes, b + trials - successes)
    weight = np.exp(log - log.max())
    return mean, rho, weight / weight.sum()
