"""What is uncertain in a scenario, each input as its quantiles: priors, posteriors, scanners.

Ignorance is drawn by Latin hypercube (McKay, Beckman & Conover 1979, Technometrics 21(2)): each
input's range is cut into as many equally likely parts as there are draws, and each part is drawn
from once, so that few draws give steady figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri

from buttress.risk.catalogue import Range, Scanner
from buttress.risk.posterior import TrialEvidence, posterior_rate

Array = npt.NDArray[np.float64]
_Z90: Final = 1.6448536269514722  # half width, in standard deviations, of a normal 90 % range
_MIDDLES: Final[Array] = (np.arange(2048) + 0.5) / 2048
_DRAWS: Final = 8192


@dataclass(frozen=True, slots=True)
class Input:
    """An uncertain quantity by 2,048 equally likely values, rising."""

    name: str
    values: Array

    @property
    def mean(self) -> float:
        """Mean over ignorance."""
        return float(self.values.mean())

    def at(self, share: npt.ArrayLike) -> Array:
        """Quantiles, of the shape of ``share``."""
        found: Array = np.interp(np.asarray(share, dtype=float), _MIDDLES, self.values)
        return found


def lognormal(name: str, bounds: Range, most: float = np.inf) -> Input:
    """With the 90 % range ``bounds``, at most ``most``."""
    low, high = np.log(bounds)
    middle, spread = (low + high) / 2, (high - low) / 2 / _Z90
    return Input(name, np.minimum(np.exp(middle + spread * ndtri(_MIDDLES)), most))


def logit_normal(name: str, bounds: Range) -> Input:
    """A probability with the 90 % range ``bounds``."""
    low, high = (float(np.log(one / (1 - one))) for one in bounds)
    middle, spread = (low + high) / 2, (high - low) / 2 / _Z90
    return Input(name, 1.0 / (1.0 + np.exp(-(middle + spread * ndtri(_MIDDLES)))))


def from_trials(name: str, known: TrialEvidence) -> Input:
    """The posterior of a rate that trials informed; see ``posterior``."""
    if known.counts is None:
        a, b = 0.5 + known.failures, 0.5 + known.trials - known.failures
        return Input(name, np.asarray(betaincinv(a, b, _MIDDLES), dtype=float))
    return Input(name, _quantiles(known))


@lru_cache(maxsize=64)
def _quantiles(known: TrialEvidence) -> Array:
    """Of the posterior; read-only, for a what-if asks for the same before and after."""
    drawn = np.sort(posterior_rate(known, _DRAWS, np.random.default_rng(1)))
    # As np.quantile, which selects each of the 2,048 quantiles by itself and takes longer.
    found: Array = np.interp(_MIDDLES * (_DRAWS - 1), np.arange(_DRAWS), drawn)
    found.flags.writeable = False
    return found


def after_clean_inspection(name: str, prior: Range, scanner: Scanner) -> Input:
    """That the barrier fails although an inspection found nothing.

    Bayes' rule: with the recall r of the scanner and its false alarms f, both uncertain by what it
    was measured on, a prior probability p becomes p (1 - r) / (p (1 - r) + (1 - p) (1 - f)).
    """
    rng = np.random.default_rng(1)
    p = logit_normal(name, prior).at(_shuffled(rng))
    recall = _share(scanner.found, scanner.planted, rng)
    alarms = _share(scanner.false_alarms, scanner.clean, rng)
    missed = p * (1 - recall)
    return Input(name, np.sort(missed / (missed + (1 - p) * (1 - alarms))))


def _share(hits: float, of: float, rng: np.random.Generator) -> Array:
    return np.asarray(betaincinv(0.5 + hits, 0.5 + of - hits, _shuffled(rng)), dtype=float)


def _shuffled(rng: np.random.Generator) -> Array:
    return rng.permutation(_MIDDLES)


def hypercube(inputs: list[Input], draws: int, rng: np.random.Generator) -> Array:
    """Joint draws of independent inputs, shape (draws, inputs)."""
    columns = [one.at((rng.permutation(draws) + rng.random(draws)) / draws) for one in inputs]
    return np.column_stack(columns) if columns else np.zeros((draws, 0))
