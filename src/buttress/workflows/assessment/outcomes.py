"""What the evidence says about each risk, as the assessment document holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.evidence.records import Label, Trial
from buttress.labelling.estimate import Interval, LabelledRate, corrected_rate
from buttress.labelling.forecast import Forecast, forecast
from buttress.labelling.sample import Sample, population
from buttress.risk.catalogue import SEVERITY_LABELS, Catalogue, Risk
from buttress.risk.cells import CellsState
from buttress.risk.policy import Estimand, Tolerance
from buttress.risk.posterior import TrialEvidence
from buttress.risk.rate import Rate
from buttress.risk.scenario import Evidence, InspectionEvidence, barrier_input
from buttress.risk.verdict import ORDER, RiskState, Verdict, worst
from buttress.standards.crosswalk import load_standards
from buttress.statistics.design import DesignEffect
from buttress.statistics.judge_outlook import Outlook
from buttress.workflows.assessment.arms import State


@dataclass(slots=True)
class TrialOutcome:
    """A risk that trials inform; ``states`` by asset.

    Where people labelled trials of an asset, ``labelled`` has the rate that follows, and it counts
    in the place of the one corrected by the judge's calibration: it is about this very system.
    ``estimand`` is what the rates are about, ``asked_estimand`` what the policy asks for,
    ``family`` the number of verdicts that share ``beta``, ``designs`` by asset how much trials of
    one prompt are alike. ``exact`` says that no judge errs,
    ``outlook`` what the judge's calibration leaves undecided, ``forecast`` what more labels of the
    worst asset would bring. ``unanswered`` are by asset the questions without an answer, or with
    one that has no text, and all questions; ``asked_whole`` are the assets that were asked all
    trials of the set and answered each.
    """

    risk: Risk
    tolerance: Tolerance
    states: dict[str, State] = field(default_factory=dict)
    labelled: dict[str, LabelledRate] = field(default_factory=dict)
    by_estimate: bool = False
    estimand: Estimand = "prompts-like-these"
    asked_estimand: Estimand = "prompts-like-these"
    family: int = 1
    designs: dict[str, DesignEffect] = field(default_factory=dict)
    exact: bool = False
    outlook: Outlook | None = None
    forecast: Forecast | None = None
    unanswered: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked_whole: set[str] = field(default_factory=set)

    @property
    def shown_estimand(self) -> Estimand:
        """What the rate of the worst asset is about.

        Where a judge errs it is about prompts like these, unless the whole set was asked and people
        labelled a part of it: their labels tell of this very set.
        """
        return "this-set" if self._of_this_set(self.worst_asset) else self.estimand

    def _of_this_set(self, asset: str) -> bool:
        whole = asset in self.labelled and asset in self.asked_whole
        return self.estimand == "this-set" or (whole and self.asked_estimand == "this-set")

    @property
    def can_be_labelled(self) -> bool:
        """Whether people's labels would count: not where outcomes are exact, or of many cells."""
        states = self.states.values()
        return not self.exact and all(isinstance(state, RiskState) for state in states)

    @property
    def correction(self) -> Literal["exact", "labels", "calibration", "none"]:
        """What is done about errors of the judge on the worst asset."""
        if self.exact:
            return "exact"
        if self.worst_asset in self.labelled:
            return "labels"
        known = self.states[self.worst_asset].sequence.counts
        return "calibration" if known is not None and known.measured else "none"

    @property
    def verdict(self) -> Verdict:
        """That of the worst asset."""
        return worst([self.verdict_on(asset) for asset in self.states])

    @property
    def worst_asset(self) -> str:
        """The asset that gives the risk its verdict and rate."""
        return min(
            self.states,
            key=lambda asset: (
                ORDER.index(self.verdict_on(asset)),
                -self._rate(asset)["estimate"],
            ),
        )

    def verdict_on(self, asset: str) -> Verdict:
        """The verdict on one asset."""
        state = self.states[asset]
        if asset not in self.labelled or state.sequence.trials < self.tolerance.minimum_trials:
            return state.verdict
        rate, limit = self._rate(asset), self.tolerance.limit
        if self.by_estimate:
            return "acceptable" if rate["estimate"] <= limit else "unacceptable"
        if rate["high"] <= limit:
            return "acceptable"
        return "unacceptable" if rate["low"] > limit else "undecided"

    def _rate(self, asset: str) -> dict[str, float]:
        known = self.labelled.get(asset)
        rate: Rate | Interval
        if known is None:
            rate = self.states[asset].sequence
        else:
            rate = known.here if self._of_this_set(asset) else known.system
        return {"estimate": rate.estimate, "low": rate.low, "high": rate.high}

    def evidence(self, catalogue: Catalogue) -> Evidence:
        """What the scenario model takes in: the worst asset's labels, else its outcomes."""
        del catalogue
        asset = self.worst_asset
        sequence = self.states[asset].sequence
        if (known := self.labelled.get(asset)) is not None:
            count = known.independent
            return TrialEvidence(count, known.system.estimate * count)
        state = self.states[asset]
        if isinstance(state, RiskState) and state.sampled is not None:
            failures, labels = state.sampled
            return TrialEvidence(labels, failures)
        # Of many cells, that of the worst: who attacks chooses.
        return TrialEvidence(sequence.judged.trials, sequence.judged.total, sequence.counts)

    def take_in_labels(self, asset: str, trials: Iterable[Trial], labels: Iterable[Label]) -> None:
        """What people said about trials of an asset; ``beta`` is shared by the whole family."""
        self.labelled[asset] = corrected_rate(
            trials,
            labels,
            alpha_low=self.tolerance.beta / self.family,
            alpha_high=self.tolerance.alpha,
        )

    def look_ahead(self, trials: Iterable[Trial], labels: Iterable[Label], seed: int) -> None:
        """Forecast what more labels of the worst asset's ``trials`` would bring."""
        rate = self._rate(self.worst_asset)
        self.forecast = forecast(
            Sample(population(trials), labels),
            self.tolerance.beta / self.family,
            self.tolerance.alpha,
            width=rate["high"] - rate["low"],
            seed=seed,
        )

    def document(self, calls: Mapping[tuple[str, str], int]) -> dict[str, Any]:
        """The fields of the document that trials give; ``calls`` by (probe, asset)."""
        rows = [self._asset(asset, calls) for asset in self.states]
        first = next(row for row in rows if row["asset"] == self.worst_asset)
        limit = self.tolerance.limit
        return {
            "kind": "trials",
            "verdict": self.verdict,
            "rate": first["rate"],
            "limit": limit,
            "severity_tolerated": None,
            "judged": first["judged"],
            "trials": sum(row["trials"] for row in rows),
            "calls": sum(row["calls"] for row in rows),
            "would_decide": first["would_decide"] if self.verdict == "undecided" else "",
            "clears": {
                "estimate": first["rate"]["estimate"] <= limit,
                "bound": first["rate"]["high"] <= limit,
            },
            "path": first["path"],
            "labels": self._labels(),
            "correction": self.correction,
            "outlook": None if self.outlook is None else asdict(self.outlook),
            "forecast": self._forecast(first["rate"]),
            "estimand": self.shown_estimand,
            "family": self.family,
            "design": first["design"],
            "assets": rows,
            "worst_finding": None,
            "findings": 0,
            "worst_case": self._worst_case(),
        }

    def _instead_of(self, asset: str) -> Estimand | None:
        shown = "this-set" if self._of_this_set(asset) else self.estimand
        return None if shown == self.asked_estimand else self.asked_estimand

    def _labels(self) -> dict[str, Any] | None:
        """What people's labels say about the worst asset; None where there are none."""
        known = self.labelled.get(self.worst_asset)
        if known is None:
            return None
        return {
            "labels": known.labels,
            "drawn": known.drawn,
            "skipped": known.skipped,
            "effective": known.effective,
            "labels_only": asdict(known.labels_only),
        }

    def _forecast(self, rate: Mapping[str, float]) -> dict[str, Any] | None:
        """The last step that is left to people, where the verdict is still open."""
        if self.forecast is None:
            return None
        now = rate["high"] - rate["low"]
        return {"asset": self.worst_asset, "width_now": now, **asdict(self.forecast)}

    def _worst_case(self) -> dict[str, Any] | None:
        """The claim about all cells of the worst asset; None where there are no cells."""
        state = self.states[self.worst_asset]
        if not isinstance(state, CellsState):
            return None
        attack, category = state.cells[state.worst]
        return {
            "claim": state.sequence.high,
            "confidence": 1 - self.tolerance.alpha,
            "false_discovery_rate": self.tolerance.beta if state.delta is None else state.delta,
            "attack": attack,
            "category": category,
            "cells": state.rows(),
        }

    @property
    def lacks_answers(self) -> bool:
        """Whether the worst asset has left so much unanswered that nothing else can decide."""
        return self._lacks_answers(self.worst_asset)

    def _lacks_answers(self, asset: str) -> bool:
        missing, asked = self.unanswered.get(asset, (0, 0))
        return missing > self.tolerance.limit * asked and self.verdict_on(asset) == "undecided"

    def _would_decide(self, asset: str) -> str:
        if self._lacks_answers(asset):
            missing, asked = self.unanswered[asset]
            return f"answers to {missing:,} of {asked:,} questions, which got none"
        if asset in self.labelled and self.verdict_on(asset) == "undecided":
            return "more labels, or more trials and labels of some of them"
        return self.states[asset].would_decide()

    def _asset(self, asset: str, calls: Mapping[tuple[str, str], int]) -> dict[str, Any]:
        state = self.states[asset]
        sequence = state.sequence
        open_failures = None
        if isinstance(state, RiskState) and state.certain is not None:
            open_failures = state.held_open
        unknown = state.unknown if isinstance(state, RiskState) else None
        return {
            "asset": asset,
            "verdict": self.verdict_on(asset),
            "rate": self._rate(asset),
            "judged": {
                "trials": sequence.judged.trials,
                "failures": sequence.judged.total,
                "estimate": sequence.judged.estimate,
                "held_open": open_failures,
                "unknown": unknown,
            },
            "trials": sequence.trials,
            "calls": calls.get((self.risk.probe or "", asset), 0),
            "would_decide": self._would_decide(asset),
            "path": state.path(),
            "design": self._design(asset),
        }

    def _design(self, asset: str) -> dict[str, Any]:
        """How trials and prompts are related: 8 variants of a prompt tell less than 8 prompts."""
        design, state = self.designs.get(asset, DesignEffect()), self.states[asset]
        size = state.size if isinstance(state, RiskState) and state.finite else None
        return {
            "prompts": len(design.clusters),
            "trials": design.trials,
            "correlation": design.correlation,
            "effect": design.effect,
            "set_size": size,
            "instead_of": self._instead_of(asset),
        }


@dataclass(slots=True)
class InspectionOutcome:
    """A risk that findings inform; ``assets`` are those in which files were read."""

    risk: Risk
    tolerance: Tolerance
    assets: tuple[str, ...]
    findings: Sequence[Finding]

    @property
    def verdict(self) -> Verdict:
        """Unacceptable where a finding is as severe as the policy does not tolerate."""
        return self._verdict(self.findings)

    def _verdict(self, findings: Sequence[Finding]) -> Verdict:
        least = SEVERITIES.index(self.tolerance.severity)
        grave = any(SEVERITIES.index(finding.severity) >= least for finding in findings)
        return "unacceptable" if grave else "acceptable"

    @staticmethod
    def _worst(findings: Sequence[Finding]) -> str | None:
        found = [SEVERITIES.index(finding.severity) for finding in findings]
        return SEVERITIES[max(found)] if found else None

    def evidence(self, catalogue: Catalogue) -> Evidence:
        """What the scenario model takes in: the severest finding."""
        del catalogue
        return InspectionEvidence(self._worst(self.findings))

    def document(self, catalogue: Catalogue) -> dict[str, Any]:
        """The fields of the document that findings give."""
        return {
            "kind": "inspection",
            "verdict": self.verdict,
            "rate": self._rate(catalogue, self.findings),
            "limit": None,
            "severity_tolerated": self.tolerance.severity,
            "judged": None,
            "trials": 0,
            "calls": 0,
            "would_decide": "",
            "clears": None,
            "path": [],
            "assets": [self._asset(asset, catalogue) for asset in self.assets],
            "worst_finding": self._worst(self.findings),
            "findings": len(self.findings),
            "worst_case": None,
            "correction": None,
            "outlook": None,
            "forecast": None,
            "estimand": None,
            "family": 1,
            "design": None,
        }

    def _asset(self, asset: str, catalogue: Catalogue) -> dict[str, Any]:
        own = [finding for finding in self.findings if finding.asset == asset]
        return {
            "asset": asset,
            "verdict": self._verdict(own),
            "rate": self._rate(catalogue, own),
            "trials": 0,
            "calls": 0,
            "would_decide": "",
            "path": [],
            "design": None,
        }

    def _rate(self, catalogue: Catalogue, findings: Sequence[Finding]) -> dict[str, float]:
        """Probability that the barrier fails: mean and 90 % range, as the loss has it."""
        barrier = next(one for one in self.risk.barriers if one.probe == self.risk.probe)
        known = InspectionEvidence(self._worst(findings))
        chance = barrier_input(barrier, known, catalogue.model)
        low, high = chance.at([0.05, 0.95])
        return {"estimate": chance.mean, "low": float(low), "high": float(high)}


Outcome = TrialOutcome | InspectionOutcome


def describe(outcome: Outcome) -> dict[str, Any]:
    """The fields of the document that the catalogue and the policy give."""
    risk, tolerance = outcome.risk, outcome.tolerance
    known = load_standards()
    return {
        "id": risk.id,
        "title": risk.title,
        "scenario": risk.scenario,
        "actor": risk.actor,
        "harm": risk.harm,
        "level": risk.level,
        "level_label": SEVERITY_LABELS[risk.level],
        "probe": risk.probe,
        "alpha": tolerance.alpha,
        "beta": tolerance.beta,
        "minimum_trials": tolerance.minimum_trials,
        "standards": [
            {"standard": standard, "item": item, "title": known[standard].items[item]}
            for standard, item in risk.standards
        ],
        "barriers": [
            {
                "id": barrier.id,
                "title": barrier.title,
                "failure": list(barrier.failure),
                "measured": barrier.probe == risk.probe and barrier.probe is not None,
            }
            for barrier in risk.barriers
        ],
        "remedies": list(risk.remedies),
    }
