"""From rates to risk: how often, through which barriers, at what cost.

Quantitative risk modelling of AI systems as in Murray et al. 2025 (arXiv:2512.08844). Ignorance and
chance are kept apart (second-order simulation: Vose 2008, Risk Analysis, section 4.2): each draw of
frequencies and barriers is one possible world, in which a year's loss has a law of its own, see
``aggregate``. Barriers that evidence informs use it, others their documented prior.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from buttress.risk.aggregate import Severity, exceedance, limited_means
from buttress.risk.catalogue import Barrier, Risk, RiskAssumptions
from buttress.risk.inputs import (
    Input,
    after_clean_inspection,
    from_trials,
    hypercube,
    logit_normal,
    lognormal,
)
from buttress.risk.posterior import TrialEvidence

Array = npt.NDArray[np.float64]
WORLDS: Final = 256
_DAYS: Final = 365.0


@dataclass(frozen=True, slots=True)
class InspectionEvidence:
    """The severest finding of an inspection, None where it found nothing."""

    worst: str | None


Evidence = TrialEvidence | InspectionEvidence


@dataclass(frozen=True)
class Scenario:
    """A risk with the inputs that its incidents depend on: frequency first, then barriers."""

    risk: Risk
    inputs: tuple[Input, ...]
    per_year: float  # what a unit of frequency is in a year
    severity: Severity
    measured: bool
    shared: float  # probability that barriers fail together

    def rates(self, draws: Array) -> Array:
        """Incidents a year from draws of the inputs, shape (draws, inputs) -> (draws,).

        The β-factor model of common-cause failures (Fleming 1975; NUREG/CR-4780): with probability
        β what defeats the strongest barrier defeats all of them.
        """
        barriers = draws[:, 1:]
        alone: Array = barriers.prod(axis=1)
        if barriers.shape[1] > 1:
            alone = (1 - self.shared) * alone + self.shared * barriers.min(axis=1)
        found: Array = draws[:, 0] * self.per_year * alone
        return found

    @cached_property
    def mean_rate(self) -> float:
        """Mean incidents a year over ignorance; exact but for the shared cause."""
        inputs = [one.mean for one in self.inputs]
        alone = float(np.prod(inputs[1:]))
        if len(inputs) > 2:
            together = _mean_of_least(self.inputs[1:])
            alone = (1 - self.shared) * alone + self.shared * together
        return inputs[0] * self.per_year * alone


def _mean_of_least(inputs: Sequence[Input]) -> float:
    """E min of independent probabilities: the integral of the product of their tails."""
    edges = np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 600)])
    middles = (edges[1:] + edges[:-1]) / 2
    tails = np.ones(middles.size)
    for one in inputs:
        tails *= 1.0 - np.searchsorted(one.values, middles) / one.values.size
    return float((tails * np.diff(edges)).sum())


@dataclass(frozen=True)
class Losses:
    """A year's losses: ``rates`` are incidents in each possible world, shape (worlds, risks)."""

    scenarios: tuple[Scenario, ...]
    model: RiskAssumptions
    rates: Array
    shares: Array  # of each risk's incidents that are counted for it, shape (risks,)

    @property
    def severities(self) -> list[Severity]:
        """Of an incident of each risk."""
        return [one.severity for one in self.scenarios]

    @cached_property
    def means(self) -> Array:
        """Mean loss of each risk, shape (risks,): not simulated, but for two factors.

        Overlapping risks count once, and of all a share is left out: what a year would cost beyond
        the cap.
        """
        alone = [one.mean_rate * one.severity.mean for one in self.scenarios]
        return np.array(alone) * self.shares * self._within_cap

    @cached_property
    def _within_cap(self) -> float:
        """Mean loss of a year, which is at most the cap, over the mean without that limit."""
        whole = float((self.rates @ [one.mean for one in self.severities]).sum())
        model = self.model
        within = limited_means(self.rates, self.severities, model.cap, model.common)
        return float(within.sum()) / whole if whole > 0 else 1.0

    def exceedance(self, amounts: Array, risk: int | None = None) -> Array:
        """Probability of a larger loss in each world, of all risks or of one; (worlds, k)."""
        rates, severities = self.rates, self.severities
        if risk is not None:
            rates, severities = rates[:, [risk]], [severities[risk]]
        return exceedance(rates, severities, amounts, self.model.cap, self.model.common)


def simulate(
    risks: Sequence[Risk],
    evidence: Mapping[str, Evidence],
    requests_per_day: float,
    model: RiskAssumptions,
    *,
    seed: int,
    worlds: int = WORLDS,
) -> Losses:
    """Possible worlds of a system's risks.

    Args:
        risks: the scenarios, those that nothing informs among them: they have their priors.
        evidence: by the id of the probe that found it.
        requests_per_day: of the operational profile.
        model: what holds for all risks.
        seed: of the worlds; each risk has a stream of its own, so that adding one does not change
            the others.
        worlds: number of draws.
    """
    scenarios = tuple(_scenario(risk, evidence, requests_per_day, model) for risk in risks)
    rates = np.zeros((worlds, len(risks)))
    for place, scenario in enumerate(scenarios):
        rng = np.random.default_rng([seed % 2**63, *scenario.risk.id.encode()])
        rates[:, place] = scenario.rates(hypercube(list(scenario.inputs), worlds, rng))
    shares = _count_once(scenarios, rates)
    return Losses(scenarios, model, rates, shares)


def _scenario(
    risk: Risk, evidence: Mapping[str, Evidence], requests_per_day: float, model: RiskAssumptions
) -> Scenario:
    if risk.per_year is not None:
        frequency, unit = lognormal("frequency", risk.per_year), 1.0
    else:
        assert risk.per_request is not None
        frequency = lognormal("frequency", risk.per_request, 1.0)
        unit = requests_per_day * _DAYS
    inputs = [frequency]
    measured = False
    for barrier in risk.barriers:
        known = evidence.get(barrier.probe) if barrier.probe else None
        measured |= known is not None
        inputs.append(barrier_input(barrier, known, model))
    severity = Severity(*risk.loss, min(model.cap, risk.most or model.cap))
    return Scenario(risk, tuple(inputs), unit, severity, measured, model.shared_cause)


def barrier_input(barrier: Barrier, known: Evidence | None, model: RiskAssumptions) -> Input:
    """That the barrier fails, by what is known of it."""
    if isinstance(known, TrialEvidence):
        return from_trials(barrier.id, known)
    if isinstance(known, InspectionEvidence):
        if known.worst is None and "clean" not in model.inspection:
            scanner = model.scanner(barrier.probe or "")
            return after_clean_inspection(barrier.id, barrier.failure, scanner)
        return logit_normal(barrier.id, model.inspection[known.worst or "clean"])
    return logit_normal(barrier.id, barrier.failure)


def _count_once(scenarios: Sequence[Scenario], rates: Array) -> Array:
    """Scale risks of one group so that together they have the incidents of the most frequent.

    The same people with the same aim are behind them: who succeeds by one way needs no other. In
    each world the largest rate of the group is shared out in proportion; changes ``rates``.
    """
    shares = np.ones(len(scenarios))
    groups: dict[str, list[int]] = {}
    for place, scenario in enumerate(scenarios):
        if scenario.risk.overlaps:
            groups.setdefault(scenario.risk.overlaps, []).append(place)
    for places in groups.values():
        together = rates[:, places]
        whole = np.maximum(together.sum(axis=1), 1e-300)
        counted = together.max(axis=1) / whole
        mean = together.mean(axis=0)
        rates[:, places] = together * counted[:, None]
        shares[places] = rates[:, places].mean(axis=0) / np.maximum(mean, 1e-300)
    return shares
