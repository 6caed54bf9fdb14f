"""The posterior of a failure rate behind judged trials, for the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincc, betainccinv

from buttress.statistics.correction import CalibrationCounts

Array = npt.NDArray[np.float64]
_INFORMATIVE: Final = 0.01  # least probability that the judge is better than chance


@dataclass(frozen=True, slots=True)
class TrialEvidence:
    """Judged outcomes that inform a barrier's failure probability.

    ``trials`` is what they count as: prompts where rates are about prompts, effective labels where
    people labelled them. ``counts`` None takes ``failures`` as true.
    """

    trials: float
    failures: float
    counts: CalibrationCounts | None = None


def posterior_rate(known: TrialEvidence, draws: int, rng: np.random.Generator) -> Array:
    """Draws of the true failure rate, the judge's errors and their uncertainty carried through.

    Jeffreys priors on sensitivity e, false-positive rate f and the judged rate r, which lies
    between f and e (Rogan & Gladen 1978); draws of (e, f) are weighted by how well they explain
    the trials. A judge that the labels show to be no better than chance says nothing: its draws
    are uniform on [0, 1].
    """
    if known.counts is None:
        return rng.beta(0.5 + known.failures, 0.5 + known.trials - known.failures, draws)
    counts = known.counts
    true = rng.beta(0.5 + counts.tp, 0.5 + counts.fn, draws)
    false = rng.beta(0.5 + counts.fp, 0.5 + counts.tn, draws)
    ordered = true > false
    if ordered.mean() < _INFORMATIVE:
        return rng.random(draws)
    true, false = true[ordered], false[ordered]
    rate = known.failures / max(known.trials, 1)
    if rate > (true.mean() + false.mean()) / 2:
        # Work with the nearer end, where the tail probabilities are precise.
        mirrored = _between(known.trials - known.failures, known.trials, 1 - true, 1 - false)
        return 1.0 - mirrored(draws, rng)
    return _between(known.failures, known.trials, false, true)(draws, rng)


def _between(
    failures: float, trials: float, low: Array, high: Array
) -> Callable[[int, np.random.Generator], Array]:
    """Sampler of (r - low) / (high - low), where r is the judged rate, between low and high."""
    a, b = 0.5 + failures, 0.5 + trials - failures
    above_low, above_high = betaincc(a, b, low), betaincc(a, b, high)
    likelihood = (above_low - above_high) / (betaincc(0.5, 0.5, low) - betaincc(0.5, 0.5, high))

    def sample(draws: int, rng: np.random.Generator) -> Array:
        total = likelihood.sum()
        if not total > 0:  # trials and labels contradict each other: the nearest end
            return np.zeros(draws)
        picked = rng.choice(len(low), size=draws, p=likelihood / total)
        share = rng.random(draws)
        tail = above_high[picked] + share * (above_low[picked] - above_high[picked])
        judged = betainccinv(a, b, tail)
        rate: Array = (judged - low[picked]) / (high[picked] - low[picked])
        return np.clip(rate, 0.0, 1.0)

    return sample
