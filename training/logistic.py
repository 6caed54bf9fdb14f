"""Logistic regression with a normal prior on each weight: maximum a posteriori."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit

Array = npt.NDArray[np.float64]


def fit(
    features: Array, labels: Array, *, precision: Array, mean: Array, least: Array
) -> tuple[Array, float]:
    """Weights and bias.

    Args:
        features: shape (n, d).
        labels: 0 or 1, shape (n,).
        precision: of the prior of each weight, shape (d,); the bias has a flat prior.
        mean: of the prior of each weight, shape (d,).
        least: lower bound of each weight, shape (d,); -inf where there is none.
    """
    sign = 2 * labels - 1
    # Sparse products stay on one thread: on a busy machine, BLAS threads wait for each other.
    matrix = csr_matrix(features)
    transposed = csr_matrix(features.T)

    def loss(point: Array) -> tuple[float, Array]:
        weights, bias = point[:-1], point[-1]
        margin = sign * (matrix @ weights + bias)
        away = weights - mean
        value = np.logaddexp(0, -margin).sum() + 0.5 * (precision * away**2).sum()
        slope = -sign * expit(-margin)
        return float(value), np.append(transposed @ slope + precision * away, slope.sum())

    bounds = [(low, None) for low in least] + [(None, None)]
    start = np.append(np.maximum(mean, least), 0.0)
    options = {"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-7}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return found.x[:-1], float(found.x[-1])
