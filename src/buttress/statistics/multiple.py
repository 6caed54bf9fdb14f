"""Many hypotheses at once: which of them may be rejected together.

An e-value is a non-negative number whose expectation is at most 1 where the hypothesis is true;
the gamblers' wealths of ``confidence`` are e-values at every time of stopping. Here they come as
natural logarithms. All of it holds whatever the dependence among the e-values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def p_value(log_evidence: float) -> float:
    """The anytime-valid p-value of an e-value: its inverse, at most 1 (Markov's inequality)."""
    return math.exp(-log_evidence) if log_evidence > 0 else 1.0


def mean_evidence(log_evidence: Sequence[float]) -> float:
    """Log of the mean of e-values for one hypothesis, which is an e-value again.

    Vovk & Wang 2021, "E-values: calibration, combination and applications", Annals of Statistics
    49(3), section 3. Where one of k is large, the mean is at least a k-th of it.
    """
    logs = np.asarray(log_evidence, dtype=float)
    return float(np.logaddexp.reduce(logs) - math.log(logs.size))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number (Holm 1979), in the same order.

    The probability that any true null hypothesis has an adjusted value ≤ alpha is at most alpha.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def benjamini_yekutieli(p_values: npt.ArrayLike, delta: float, tests: int | None = None) -> Mask:
    """Hypotheses that are rejected with a false discovery rate of at most ``delta``.

    Benjamini & Yekutieli 2001, "The control of the false discovery rate in multiple testing under
    dependency", Annals of Statistics 29(4), theorem 1.3: whatever the dependence.

    Args:
        p_values: shape (m,).
        delta: in (0, 1).
        tests: number of hypotheses where only the smallest p-values are handed over.

    Returns:
        Shape (m,).
    """
    values = np.asarray(p_values, dtype=float)
    count = max(tests or 0, len(values))
    if not len(values):
        return np.zeros(0, dtype=bool)
    harmonic = float(digamma(count + 1)) + np.euler_gamma
    order = np.argsort(values)
    allowed = delta * np.arange(1, len(values) + 1) / (count * harmonic)
    passed = np.flatnonzero(values[order] <= allowed)
    rejected = np.zeros(len(values), dtype=bool)
    if len(passed):
        rejected[order[: passed[-1] + 1]] = True
    return rejected


def e_bh(log_evidence: npt.ArrayLike, delta: float) -> Mask:
    """Hypotheses that e-BH rejects; the false discovery rate is at most ``delta``.

    Wang & Ramdas 2022, "False discovery rate control with e-values", JRSS-B 84(3), section 3: of m
    e-values the k largest are rejected, for the largest k whose k-th is at least m / (k delta).

    Args:
        log_evidence: log e-values, shape (m,).
        delta: in (0, 1).

    Returns:
        Shape (m,).
    """
    logs = np.asarray(log_evidence, dtype=float)
    order = np.argsort(-logs, kind="stable")
    ranks = np.arange(1, logs.size + 1)
    enough = np.flatnonzero(logs[order] >= np.log(logs.size / (ranks * delta)))
    rejected = np.zeros(logs.shape, dtype=bool)
    if enough.size:
        rejected[order[: enough[-1] + 1]] = True
    return rejected
