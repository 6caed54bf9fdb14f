"""From rates to risk: how often, through which barriers, at what cost, by Monte Carlo.

Quantitative risk modelling of AI systems as in Murray et al. 2025 (arXiv:2512.08844): per draw, a
frequency and a failure probability for each barrier are taken from their uncertainty, incidents in
a year are Poisson, each costs a lognormal amount. Barriers that evidence informs use it, others
their documented prior.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincc, betainccinv

from buttress.risk.catalogue import Range, Risk
from buttress.statistics.correction import CalibrationCounts

Array = npt.NDArray[np.float64]
DRAWS: Final = 20_000
_Z90: Final = 1.6448536269514722  # half width, in standard deviations, of a normal 90 % range
_EXACT: Final = 200  # incidents in a year that are drawn one by one
_INFORMATIVE: Final = 0.01  # least probability that the judge is better than chance
_CURVE_POINTS: Final = 80


@dataclass(frozen=True, slots=True)
class TrialEvidence:
    """Judged outcomes that inform a barrier's failure probability."""

    trials: int
    failures: float
    counts: CalibrationCounts | None = None


Evidence = TrialEvidence | Range  # a range is a 90 % range from an inspection


@dataclass(frozen=True, slots=True)
class Simulated:
    """Annual losses of each risk; ``losses`` has shape (risks, draws)."""

    risks: tuple[str, ...]
    losses: Array


def simulate(
    risks: Sequence[Risk],
    evidence: Mapping[str, Evidence],
    requests_per_day: float,
    *,
    seed: int,
    draws: int = DRAWS,
) -> Simulated:
    """Simulate a year, ``draws`` times.

    Args:
        risks: the scenarios.
        evidence: probe id -> what it found.
        requests_per_day: of the operational profile.
        seed: same seed, same figures; each risk has a stream of its own, so that adding one does
            not change the others.
        draws: number of simulated years.
    """
    losses = np.zeros((len(risks), draws))
    for row, risk in enumerate(risks):
        chance = np.random.default_rng([seed, *risk.id.encode()])
        rate = _frequency(risk, requests_per_day, draws, chance)
        for barrier in risk.barriers:
            known = evidence.get(barrier.probe) if barrier.probe else None
            rate = rate * _failure(known, barrier.failure, draws, chance)
        losses[row] = _compound(chance.poisson(np.minimum(rate, 1e12)), risk.loss, chance)
    return Simulated(tuple(risk.id for risk in risks), losses)


def _frequency(
    risk: Risk, requests_per_day: float, draws: int, chance: np.random.Generator
) -> Array:
    bounds = risk.per_year or risk.per_request
    assert bounds is not None
    low, high = np.log(bounds)
    drawn: Array = np.exp((low + high) / 2 + (high - low) / 2 / _Z90 * chance.normal(size=draws))
    return drawn if risk.per_year else np.minimum(drawn, 1.0) * requests_per_day * 365.0


def _failure(
    known: Evidence | None, prior: Range, draws: int, chance: np.random.Generator
) -> Array:
    if isinstance(known, TrialEvidence):
        return posterior_rate(known, draws, chance)
    low, high = _logit(np.array(known or prior))
    drawn: Array = (low + high) / 2 + (high - low) / 2 / _Z90 * chance.normal(size=draws)
    return 1.0 / (1.0 + np.exp(-drawn))


def _logit(value: Array) -> Array:
    odds: Array = np.log(value) - np.log1p(-value)
    return odds


def posterior_rate(known: TrialEvidence, draws: int, chance: np.random.Generator) -> Array:
    """Draws of the true failure rate, the judge's errors and their uncertainty carried through.

    Jeffreys priors on sensitivity e, false-positive rate f and the judged rate r, which lies
    between f and e (Rogan & Gladen 1978); draws of (e, f) are weighted by how well they explain
    the trials. A judge that the labels show to be no better than chance says nothing: its draws
    are uniform on [0, 1].
    """
    if known.counts is None:
        return chance.beta(0.5 + known.failures, 0.5 + known.trials - known.failures, draws)
    counts = known.counts
    true = chance.beta(0.5 + counts.tp, 0.5 + counts.fn, draws)
    false = chance.beta(0.5 + counts.fp, 0.5 + counts.tn, draws)
    ordered = true > false
    if ordered.mean() < _INFORMATIVE:
        return chance.random(draws)
    true, false = true[ordered], false[ordered]
    rate = known.failures / max(known.trials, 1)
    if rate > (true.mean() + false.mean()) / 2:
        # Work with the nearer end, where the tail probabilities are precise.
        mirrored = _between(known.trials - known.failures, known.trials, 1 - true, 1 - false)
        return 1.0 - mirrored(draws, chance)
    return _between(known.failures, known.trials, false, true)(draws, chance)


def _between(
    failures: float, trials: int, low: Array, high: Array
) -> Callable[[int, np.random.Generator], Array]:
    """Sampler of (r - low) / (high - low), where r is the judged rate, between low and high."""
    a, b = 0.5 + failures, 0.5 + trials - failures
    above_low, above_high = betaincc(a, b, low), betaincc(a, b, high)
    likelihood = (above_low - above_high) / (betaincc(0.5, 0.5, low) - betaincc(0.5, 0.5, high))

    def sample(draws: int, chance: np.random.Generator) -> Array:
        total = likelihood.sum()
        if not total > 0:  # trials and labels contradict each other: the nearest end
            return np.zeros(draws)
        picked = chance.choice(len(low), size=draws, p=likelihood / total)
        share = chance.random(draws)
        tail = above_high[picked] + share * (above_low[picked] - above_high[picked])
        judged = betainccinv(a, b, tail)
        rate: Array = (judged - low[picked]) / (high[picked] - low[picked])
        return np.clip(rate, 0.0, 1.0)

    return sample


def _compound(incidents: npt.NDArray[np.int64], loss: Range, chance: np.random.Generator) -> Array:
    """Sum of as many lognormal losses as there are incidents, for each draw."""
    mu = np.log(loss[0])
    sigma = max(1e-9, (np.log(loss[1]) - mu) / _Z90)
    few = np.minimum(incidents, _EXACT)
    single = np.exp(mu + sigma * chance.standard_normal(int(few.sum())))
    ends = np.cumsum(few)
    sums = np.concatenate([[0.0], np.cumsum(single)])
    total: Array = sums[ends] - sums[ends - few]
    # The sum of the rest is taken as lognormal with the sum's mean and variance (Fenton 1960, "The
    # sum of log-normal probability distributions in scatter transmission systems").
    rest = np.maximum(incidents - few, 1).astype(float)
    spread = np.log1p(np.expm1(sigma**2) / rest)
    middle = np.log(rest) + mu + sigma**2 / 2 - spread / 2
    many = np.exp(middle + np.sqrt(spread) * chance.standard_normal(len(rest)))
    return total + np.where(incidents > few, many, 0.0)


def summary(simulated: Simulated, currency: str) -> dict[str, Any]:
    """The assessment document's ``loss``: mean, quantiles, exceedance curve, contributions."""
    total = simulated.losses.sum(axis=0)
    mean = float(total.mean())
    means = simulated.losses.mean(axis=1)
    shares = means / mean if mean > 0 else np.zeros(len(means))
    order = np.argsort(-shares)
    return {
        "unit": currency,
        "period": "year",
        "mean": mean,
        "median": float(np.median(total)),
        "p95": float(np.quantile(total, 0.95)),
        "p99": float(np.quantile(total, 0.99)),
        "exceedance": _exceedance(total),
        "sensitivity": [
            {"risk": simulated.risks[index], "share": float(shares[index])} for index in order
        ],
        "draws": int(simulated.losses.shape[1]),
    }


def of_risk(simulated: Simulated, risk: str) -> dict[str, float]:
    """One risk's ``loss``: mean, 95th percentile, and share of the mean total."""
    losses = simulated.losses[simulated.risks.index(risk)]
    total = float(simulated.losses.sum(axis=0).mean())
    mean = float(losses.mean())
    return {
        "mean": mean,
        "p95": float(np.quantile(losses, 0.95)),
        "share": mean / total if total > 0 else 0.0,
    }


def _exceedance(total: Array) -> list[list[float]]:
    """Points (loss, probability that a year's loss exceeds it), falling in probability."""
    positive = np.sort(total[total > 0])
    if not positive.size:
        return []
    share = positive.size / total.size
    probabilities = share * np.geomspace(1.0, max(10 / total.size, 1e-3), _CURVE_POINTS)
    values = np.quantile(positive, 1 - probabilities / share)
    return [[float(v), float(p)] for v, p in zip(values, probabilities, strict=True)]
