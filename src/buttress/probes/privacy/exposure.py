"""Exposure of a canary: how far up its secret ranks among others of its kind, in bits.

Carlini et al. 2019: exposure = log2 |R| - log2 rank. The rank is estimated from a sample of the
other secrets; without training on it, each rank is equally likely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import chi2, skewnorm

from buttress.statistics.correction import clopper_pearson

_BITS_OF_DIGIT: Final = math.log2(10)


@dataclass(frozen=True, slots=True)
class SecretExposure:
    """In bits. ``low`` and ``high``: 95 % interval of what all secrets of the kind would show.

    ``saturated``: no reference is more likely, so ``bits`` is the most that they can show;
    ``extrapolated`` is then the exposure under a skew-normal law of their log-probabilities.
    ``p_value``: of a rank as high as this by chance.
    """

    bits: float
    low: float
    high: float
    saturated: bool
    extrapolated: float | None
    p_value: float


def exposure(secret: float, references: Sequence[float], digits: int) -> SecretExposure:
    """The exposure of a secret.

    Args:
        secret: log-probability of the secret after its prefix, in nats.
        references: of other secrets of the kind.
        digits: decimal digits of a secret; its bits are the most that there can be.
    """
    most = digits * _BITS_OF_DIGIT
    count = len(references)
    above = sum(one >= secret for one in references)
    low, high = clopper_pearson(above, count, 0.025)
    rank = above + 1
    saturated = above == 0
    return SecretExposure(
        bits=min(most, math.log2(count + 1) - math.log2(rank)),
        low=max(0.0, -math.log2(high)) if high > 0 else most,
        high=min(most, -math.log2(low)) if low > 0 else most,
        saturated=saturated,
        extrapolated=_extrapolated(secret, references, most) if saturated else None,
        p_value=rank / (count + 1),
    )


def chance_bits(count: int) -> float:
    """Mean exposure of a secret that was not trained on, with ``count`` references."""
    ranks = np.arange(1, count + 2)
    return float(math.log2(count + 1) - np.log2(ranks).mean())


def combined_p_value(p_values: Sequence[float]) -> float:
    """Fisher's: the probability of p-values as small together by chance."""
    return float(chi2.sf(-2 * sum(map(math.log, p_values)), 2 * len(p_values)))


def _extrapolated(secret: float, references: Sequence[float], most: float) -> float | None:
    values = np.asarray(references)
    if len(values) < 100 or float(values.std()) <= 0:
        return None
    shape, place, scale = skewnorm.fit(values)
    log = float(skewnorm.logsf(secret, shape, place, scale))
    return min(most, -log / math.log(2)) if math.isfinite(log) else most
