"""The whole path: system → probes → evidence → risk model → verdicts → document and reports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from buttress.documents.assessment import build, inspected
from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.inspection.one_path import inspect
from buttress.labelling.estimate import corrected_rate
from buttress.protocols.judge import Judge
from buttress.protocols.probe import InspectionProbe, TrialProbe
from buttress.risk.catalogue import Catalogue, load_catalogue
from buttress.risk.planner import Planner
from buttress.risk.policy import Policy, load_policy
from buttress.risk.verdict import RiskState
from buttress.system.model import Budget, System
from buttress.targets.base import Target
from buttress.trials.loop import run_async
from buttress.trials.progress import Plan, open_progress
from buttress.workflows.assessment import sources
from buttress.workflows.assessment.arms import Arm
from buttress.workflows.assessment.campaign import Campaign, Limits
from buttress.workflows.assessment.coverage import Coverage
from buttress.workflows.assessment.ledger import Ledger, priced
from buttress.workflows.assessment.outcomes import Outcome, TrialOutcome
from buttress.workflows.assessment.outputs import write_outputs
from buttress.workflows.assessment.preparation import Prepared, open_targets, prepare
from buttress.workflows.assessment.runs import Run, begin
from buttress.workflows.assessment.tally import tally

_REASONS: Final = 8  # why the judge abstained, that are told one by one


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the manifest; None leaves the manifest's choice."""

    out: Path
    budget: int | None = None
    policy: str | None = None
    only: Sequence[str] | None = None
    resume: bool = False
    seed: int | None = None


def assess(system: System, options: Options, stream: TextIO | None = None) -> dict[str, Any]:
    """Assess a system; the document, which has also been written with the reports.

    Args:
        system: what is assessed.
        options: of this assessment.
        stream: where progress is shown, stderr by default.

    Raises:
        InputError: something the user gave is not usable; nothing that was gathered is lost.
        MissingExtraError: a target or judge needs a package that is not installed.
        ButtressError: a target doesn't answer at all.
    """
    catalogue = load_catalogue(system.risks)
    policy = load_policy(options.policy or system.policy, catalogue.risks.keys())
    chosen = sources.probes(system, options.only)
    inspections = [probe for probe in chosen if isinstance(probe, InspectionProbe)]
    trials = [probe for probe in chosen if not isinstance(probe, InspectionProbe)]
    budget = system.budget
    if options.budget is not None:
        budget = Budget(options.budget, budget.minutes, budget.cost)
    targets = open_targets(system) if trials else {}
    judge = sources.judge(system) if targets else None
    attacker = sources.attacker(system, targets) if targets else None
    with EvidenceStore.open(options.out / FILE_NAME) as store:
        run = begin(store, system, seed=options.seed, policy=policy.id, resume=options.resume)
        work = _Assessment(
            system=system,
            catalogue=catalogue,
            policy=policy,
            budget=budget,
            store=store,
            run=run,
            targets=targets,
            judge=judge,
            attacker=attacker,
        )
        work.ledger.progress = open_progress(
            Plan(budget.calls, _cost(work.ledger) if priced(system.assets) else None), stream
        )
        try:
            document = work.carry_out(inspections, trials, named=options.only is not None)
        finally:
            work.ledger.close()
    write_outputs(document, options.out)
    return document


def _cost(ledger: Ledger) -> Any:
    return lambda _: ledger.cost()


class _Assessment:
    """One run, from its probes to its document."""

    def __init__(
        self,
        *,
        system: System,
        catalogue: Catalogue,
        policy: Policy,
        budget: Budget,
        store: EvidenceStore,
        run: Run,
        targets: dict[str, Target],
        judge: Judge | None,
        attacker: Target | None,
    ) -> None:
        self._system = system
        self._catalogue = catalogue
        self._policy = policy
        self._budget = budget
        self._store = store
        self._run = run
        self._targets = targets
        self._coverage = Coverage()
        self._judge = judge
        self._attacker = attacker
        self._prepared = Prepared()
        self._stop_reason = "there was nothing to ask"
        self._began = time.time()
        self.ledger = Ledger()

    def carry_out(
        self,
        inspections: Sequence[InspectionProbe],
        trials: Sequence[TrialProbe],
        *,
        named: bool,
    ) -> dict[str, Any]:
        """Run the probes and build the document."""
        if self._judge is not None:
            self._prepared = prepare(
                self._system,
                self._targets,
                trials,
                judge=self._judge,
                attacker=self._attacker,
                policy=self._policy,
                catalogue=self._catalogue,
                store=self._store,
                run=self._run,
                ledger=self.ledger,
                coverage=self._coverage,
                named=named,
            )
        inspect(self._system.assets, inspections, self._run.id, self._store, self.ledger.say)
        if self._judge is not None:
            run_async(self._ask(self._judge))
        return self._document()

    async def _ask(self, judge: Judge) -> None:
        planner = Planner(self._prepared.planned, calls=self._budget.calls, seed=self._run.seed)
        minutes = self._budget.minutes
        campaign = Campaign(
            self._prepared.arms,
            planner,
            Limits(None if minutes is None else 60 * minutes, self._budget.cost),
            cost=self.ledger.cost,
            observe=self._observe,
        )
        try:
            await campaign.run()
        finally:
            closing = [target.aclose() for target in self._targets.values()]
            if self._attacker is not None and self._attacker not in self._targets.values():
                closing.append(self._attacker.aclose())
            close = getattr(judge, "aclose", None)
            await asyncio.gather(*closing, *([close()] if close else []))
        self._stop_reason = campaign.stop_reason

    def _observe(self, arm: Arm, trials: Sequence[Trial]) -> None:
        for state in self._prepared.states[arm.id]:
            arm.observe(state, trials)

    def _take_in_labels(self, outcome: TrialOutcome) -> None:
        """What people said about trials of this run, as when it was labelled and resumed."""
        run, probe = self._run.id, outcome.risk.probe
        labels = list(self._store.labels(run=run, probe=probe))
        for asset, state in outcome.states.items():
            mine = [label for label in labels if label.asset == asset]
            if mine and isinstance(state, RiskState):
                trials = self._store.trials(run=run, probe=probe)
                outcome.labelled[asset] = corrected_rate(
                    (trial for trial in trials if trial.asset == asset),
                    mine,
                    alpha_low=outcome.tolerance.beta / len(outcome.states),
                    alpha_high=outcome.tolerance.alpha,
                )

    def _document(self) -> dict[str, Any]:
        run = self._run.id
        findings = list(self._store.findings(run=run))
        inspections = list(self._store.inspections(run=run))
        tallied = tally(self._store.trials(run=run))
        for outcome in self._prepared.outcomes:
            self._take_in_labels(outcome)
        outcomes: list[Outcome] = []
        for outcome in self._prepared.outcomes:
            if any(state.sequence.trials for state in outcome.states.values()):
                outcomes.append(outcome)
        for name, arm in self._prepared.arms.items():
            if not tallied.arms.get((arm.probe.id, arm.asset.id)):
                self._coverage.leave_out(name, f"no trial was run: {self._stop_reason}")
        outcomes += inspected(self._catalogue, self._policy, findings, inspections)
        examined = {seen.asset: None for seen in inspections} | {
            asset: None for _, asset in tallied.arms
        }
        self._coverage.check_assets(self._system.assets, examined)
        totals = self.ledger.together()
        if totals.errors:
            self._coverage.leave_out(
                f"{totals.errors:,} questions", "they got no answer in spite of repeated attempts"
            )
        for reason, count in tallied.abstained.most_common(_REASONS):
            self._coverage.leave_out(
                f"{count:,} answers", f"the judge abstained, they count as either: {reason}"
            )
        if not outcomes:
            why = "; ".join(f"{what}: {reason}" for what, reason in self._coverage.not_covered)
            raise InputError(
                f"nothing could be assessed ({why})", expected="assets and probes that fit"
            )
        finished = time.time()
        asked_before = tallied.asked - totals.asked
        return build(
            self._system,
            self._run,
            self._policy,
            self._catalogue,
            self._store,
            judge=self._judge if tallied.trials else None,
            targets={name: (one.name, one.identity) for name, one in self._targets.items()},
            outcomes=outcomes,
            findings=findings,
            inspections=inspections,
            tallied=tallied,
            coverage=self._coverage,
            stop_reason=self._stop_reason,
            totals={
                "calls": totals.calls + max(0, asked_before),
                "attacker_calls": totals.attacker_calls,
                "trials": tallied.trials,
                "cached": tallied.cached,
                "errors": totals.errors,
                "prompt_tokens": tallied.prompt_tokens,
                "completion_tokens": tallied.completion_tokens,
                "seconds": finished - self._began,
                "cost": self.ledger.cost() if priced(self._system.assets) else None,
                "error_messages": dict(totals.messages),
            },
            budget={
                "calls": self._budget.calls,
                "minutes": self._budget.minutes,
                "cost": self._budget.cost,
            },
            finished=finished,
        )
