"""L2-penalised logistic regression with more features than examples, and scores of whole groups
that it was not fitted to.

With n examples the best weights are a combination of them (representer theorem: Kimeldorf & Wahba
1971), so the fit needs their n x n products alone: Newton's method on n numbers, however many
features there are, and the products of a subset are a part of those of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Array = npt.NDArray[np.float64]
_STEPS: Final = 100
_CLOSE: Final = 1e-8
_RIDGE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """Log odds of the first class are ``features @ weights + bias``; ``weights`` (features,)."""

    weights: Array
    bias: float

    def log_odds(self, features: npt.ArrayLike) -> Array:
        """Of each row of features, shape (rows,)."""
        found: Array = np.asarray(features, dtype=float) @ self.weights + self.bias
        return found


def fit_logistic(
    features: npt.ArrayLike, outcomes: npt.ArrayLike, penalty: float
) -> LinearClassifier:
    """The classifier that minimises log loss plus penalty / 2 times the squared weights.

    Args:
        features: shape (n, features), of like scale.
        outcomes: 0 or 1, shape (n,), both of them there.
        penalty: above 0; the bias is free of it.

    Raises:
        ValueError: shapes differ, one class only, or no penalty.
    """
    rows = np.asarray(features, dtype=float)
    shares, bias = _fit(rows @ rows.T, _checked(rows, outcomes, penalty), penalty)
    return LinearClassifier(rows.T @ shares, bias)


def log_odds_left_out(
    features: npt.ArrayLike,
    outcomes: npt.ArrayLike,
    groups: Sequence[str],
    penalty: float,
    *,
    left_out: int = 2,
) -> Array:
    """Log odds of each example by a classifier that was fitted without its group, shape (n,).

    Args:
        features: shape (n, features), of like scale.
        outcomes: 0 or 1, shape (n,).
        groups: of each example; ``left_out`` neighbours in sorted order are left out together.
        penalty: as in ``fit_logistic``.
        left_out: groups that are left out at once.

    Raises:
        ValueError: as ``fit_logistic``, or the rest has one class only.
    """
    rows = np.asarray(features, dtype=float)
    truth = _checked(rows, outcomes, penalty)
    names = sorted(set(groups))
    where = np.array([names.index(name) // left_out for name in groups])
    products = rows @ rows.T
    found = np.empty(len(rows))
    for fold in range(int(where.max()) + 1):
        out = np.flatnonzero(where == fold)
        kept = np.flatnonzero(where != fold)
        if len(set(truth[kept])) < 2:
            raise ValueError("too few groups: without some of them one class is left")
        shares, bias = _fit(products[np.ix_(kept, kept)], truth[kept], penalty)
        found[out] = products[np.ix_(out, kept)] @ shares + bias
    return found


def log_loss(log_odds: npt.ArrayLike, outcomes: npt.ArrayLike) -> float:
    """Mean negative log-likelihood in nats."""
    signs = 2 * np.asarray(outcomes, dtype=float) - 1
    return float(np.logaddexp(0, -signs * np.asarray(log_odds, dtype=float)).mean())


def _checked(rows: Array, outcomes: npt.ArrayLike, penalty: float) -> Array:
    truth = np.asarray(outcomes, dtype=float).reshape(-1)
    if rows.ndim != 2 or len(rows) != len(truth):
        raise ValueError("features and outcomes must have one length")
    if set(truth.tolist()) != {0.0, 1.0}:
        raise ValueError("outcomes must be 0 and 1, both of them there")
    if not penalty > 0:
        raise ValueError(f"penalty {penalty} is not above 0")
    return truth


def _fit(products: Array, truth: Array, penalty: float) -> tuple[Array, float]:
    """Shares of the examples in the weights, shape (n,), and the bias; damped Newton steps."""
    count = len(truth)
    shares, bias = np.zeros(count), 0.0

    def loss(shares: Array, bias: float) -> float:
        scores = products @ shares
        fit = np.logaddexp(0, -(2 * truth - 1) * (scores + bias)).sum()
        return float(fit + penalty / 2 * shares @ scores)

    now = loss(shares, bias)
    for _ in range(_STEPS):
        chances = expit(products @ shares + bias)
        curvature = np.maximum(chances * (1 - chances), _RIDGE)
        # Newton's step solves (K + penalty / W) shares + bias = working response, sum(shares) = 0.
        system = np.zeros((count + 1, count + 1))
        system[:count, :count] = products + np.diag(penalty / curvature)
        system[:count, count] = system[count, :count] = 1.0
        response = products @ shares + bias + (truth - chances) / curvature
        solved = np.linalg.solve(system, np.append(response, 0.0))
        step, moved = solved[:count] - shares, float(solved[count]) - bias
        size = 1.0
        while (then := loss(shares + size * step, bias + size * moved)) > now and size > 1e-6:
            size /= 2
        shares, bias = shares + size * step, bias + size * moved
        if now - then < _CLOSE * max(1.0, abs(now)):
            break
        now = then
    return shares, bias
