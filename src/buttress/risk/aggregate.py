"""A year's loss as a compound Poisson law, by Fourier transform instead of by simulation.

Incidents of risk r are Poisson with rate g λ_r, where g is common to all risks in a year and
gamma distributed with mean 1 and variance v: good and bad years strike several risks at once. The
loss of one incident is lognormal, and no more than its cap. With the severities' transforms φ_r,
the transform of the total is (1 - v Σ λ_r (φ_r - 1))^(-1/v), which one inverse transform turns into
probabilities (Klugman, Panjer & Willmot 2019, Loss Models, section 9.6; the tilting that keeps
losses beyond the end of the grid from coming back at its start is that of Grübel & Hermesmeier
1999, "Computation of compound distributions I", ASTIN Bulletin 29(2)). Severities are put on the
grid so that their limited means are exact (Gerber 1982, ASTIN Bulletin 13(1)).

Losses span many orders of magnitude. So several grids are used, each sixteen times finer than the
one before, and each amount is looked up in the finest grid that reaches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Array = npt.NDArray[np.float64]
_POINTS: Final = 2048  # of a grid
_GRIDS: Final = 7
_FINER: Final = 16.0
_TILTS: Final[Array] = np.exp(-20.0 * np.arange(_POINTS) / _POINTS)
# Of ``top``: a year's mean loss below which what ``top`` cuts off is less than rounding.
_SMALL: Final = 1e-4
_Z95: Final = 1.6448536269514722  # of a normal law's 95th percentile
# Blocks this small stay in the processor's cache, and their matrix products are done by one thread:
# BLAS would give larger ones to all processors, whose waiting costs more than the product.
_DRAWS_TOGETHER: Final = 16
_COLUMNS_TOGETHER: Final = 256


@dataclass(frozen=True, slots=True)
class Severity:
    """Loss of one incident: lognormal with this median and 95th percentile, at most ``cap``."""

    median: float
    p95: float
    cap: float

    @property
    def _sigma(self) -> float:
        return max(1e-9, float(np.log(self.p95 / self.median)) / _Z95)

    def limited_mean(self, limit: npt.ArrayLike) -> Array:
        """E min(X, limit), of any shape; exact."""
        top = np.minimum(np.asarray(limit, dtype=float), self.cap)
        mu, sigma = np.log(self.median), self._sigma
        with np.errstate(divide="ignore"):
            z = (np.log(top) - mu) / sigma
        whole = np.exp(mu + sigma**2 / 2)
        mean: Array = whole * ndtr(z - sigma) + top * ndtr(-z)
        return np.where(top > 0, mean, 0.0)

    @property
    def mean(self) -> float:
        """Mean loss of an incident."""
        return float(self.limited_mean(self.cap))

    def on_grid(self, step: float, points: int) -> Array:
        """Probabilities of 0, step, 2 step, …, shape (points,), that keep limited means."""
        means = self.limited_mean(step * np.arange(points + 1))
        mass = np.empty(points)
        mass[0] = 1.0 - means[1] / step
        mass[1:] = (2 * means[1:-1] - means[:-2] - means[2:]) / step
        return np.clip(mass, 0.0, 1.0)


def exceedance(
    rates: Array, severities: Sequence[Severity], amounts: Array, top: float, common: float
) -> Array:
    """Probability that a year's loss exceeds each amount.

    Args:
        rates: incidents a year, shape (draws, risks).
        severities: of an incident of each risk.
        amounts: rising, below ``top``, shape (k,).
        top: the largest amount that matters.
        common: variance v of the factor that is common to all risks in a year, ≥ 0.

    Returns:
        Shape (draws, k).
    """
    found = np.zeros((rates.shape[0], amounts.size))
    ends = top / _FINER ** np.arange(_GRIDS)
    for place, end in enumerate(ends):
        below = ends[place + 1] if place + 1 < _GRIDS else -1.0
        mine = np.flatnonzero((amounts < end) & (amounts >= below))
        if not mine.size:
            continue
        step = end / _POINTS
        # Between grid points the probability is taken as spread evenly.
        place_on = np.minimum(amounts[mine] / step + 0.5, _POINTS)
        left = np.floor(place_on).astype(int)
        share = place_on - left
        right = np.minimum(left + 1, _POINTS)
        transforms = _transforms(severities, step)
        for first in range(0, rates.shape[0], _DRAWS_TOGETHER):
            some = slice(first, first + _DRAWS_TOGETHER)
            held = _held(rates[some], transforms, common)
            within = held[:, left] * (1 - share) + held[:, right] * share
            found[some, mine] = np.clip(1.0 - within, 0.0, 1.0)
    return found


def limited_means(rates: Array, severities: Sequence[Severity], top: float, common: float) -> Array:
    """E min(S, top) of a year's loss S in each draw; arguments as of ``exceedance``.

    It is the area under the curve of exceedance, exact on a grid that keeps the mean of S.

    Returns:
        Shape (draws,).
    """
    found: Array = rates @ np.array([one.mean for one in severities])
    some = np.flatnonzero(found > _SMALL * top)
    if some.size:
        step = top / _POINTS
        held = _held(rates[some], _transforms(severities, step), common)[:, 1:]
        area = step * (1.0 - np.minimum(held, 1.0)).sum(axis=1)
        found[some] = np.minimum(found[some], area)
    return found


def _transforms(severities: Sequence[Severity], step: float) -> npt.NDArray[np.complex128]:
    """Of the tilted laws of an incident, shape (risks, frequencies)."""
    laws = np.array([severity.on_grid(step, _POINTS) for severity in severities]) * _TILTS
    return np.fft.rfft(laws, axis=1)


def _held(rates: Array, transforms: npt.NDArray[np.complex128], common: float) -> Array:
    """Probability of a year's loss on the first k grid points, k from 0; (draws, points + 1)."""
    # The tilt scales each law, not the 1 of "no incident": Σ λ (φ(tilted) - 1).
    exponent = _product(rates, transforms) - rates.sum(axis=1, keepdims=True)
    whole = np.exp(exponent) if common <= 0 else (1.0 - common * exponent) ** (-1.0 / common)
    mass = np.fft.irfft(whole, n=_POINTS, axis=1) / _TILTS
    held = np.zeros((rates.shape[0], _POINTS + 1))
    np.cumsum(np.clip(mass, 0.0, 1.0), axis=1, out=held[:, 1:])
    return held


def _product(rates: Array, transforms: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """``rates @ transforms``, in blocks."""
    parts = transforms.view(np.float64)
    found = np.empty((rates.shape[0], parts.shape[1]))
    for first in range(0, parts.shape[1], _COLUMNS_TOGETHER):
        some = slice(first, first + _COLUMNS_TOGETHER)
        found[:, some] = rates @ parts[:, some]
    return found.view(np.complex128)
