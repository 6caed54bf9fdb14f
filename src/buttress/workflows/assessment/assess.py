"""The whole path: system → probes → evidence → risk model → verdicts → document and reports."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, TextIO

from buttress.errors import ButtressError, InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.files.tree import Tree
from buttress.inspection.one_path import inspect
from buttress.judges.opening import close_judge
from buttress.packs.installed import installed
from buttress.packs.resolve import resolve
from buttress.protocols.judge import Judge
from buttress.protocols.probe import InspectionProbe, TrialProbe, TrialSpec
from buttress.report import run_words
from buttress.risk.catalogue import Catalogue, load_catalogue
from buttress.risk.planner import Planner
from buttress.risk.policy import Policy, load_policy
from buttress.risk.verdict import RiskState
from buttress.system.manifest import FILE_NAME as MANIFEST
from buttress.system.model import Budget, System
from buttress.targets.base import Target
from buttress.targets.open import open_target
from buttress.trials.loop import run_async
from buttress.trials.progress import open_progress
from buttress.trials.totals import Totals
from buttress.workflows.assessment import sources
from buttress.workflows.assessment.arms import Arm, arm_id
from buttress.workflows.assessment.campaign import Campaign
from buttress.workflows.assessment.coverage import Coverage
from buttress.workflows.assessment.document import build, inspected
from buttress.workflows.assessment.hosts import ask_hosts
from buttress.workflows.assessment.ledger import ATTACKER, JUDGE
from buttress.workflows.assessment.outcomes import Outcome, TrialOutcome
from buttress.workflows.assessment.outputs import write_outputs
from buttress.workflows.assessment.preparation import Prepared, open_targets, prepare
from buttress.workflows.assessment.runs import Run, begin
from buttress.workflows.assessment.spending import Spending
from buttress.workflows.assessment.tally import tally
from buttress.workflows.opening import TargetOpener, naming_field

_REASONS: Final = 8  # why the judge abstained, that are told one by one
NO_MODEL: Final = "no model was asked, so nothing here says how the system answers"


class NothingAssessedError(ButtressError):
    """There is nothing that says anything: neither good nor bad."""


def is_empty(paths: Sequence[Path]) -> bool:
    """Whether an asset has paths, and no file in them beside the manifest and our own outputs."""
    if not paths:
        return False
    for path in paths:
        if path.is_file() or any(Path(file.path).name != MANIFEST for file in Tree(path).files):
            return False
    return True


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the manifest; None leaves the manifest's choice."""

    out: Path
    budget: int | None = None
    budget_tokens: int | None = None
    policy: str | None = None
    only: Sequence[str] | None = None
    resume: bool = False
    seed: int | None = None
    redact: bool = True  # personal data and secrets in the texts of the report
    workers: str | None = None  # "ray": models that run here are asked in replicas on a cluster
    replicas: int | None = None  # of each such model; by the cluster where None


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
    policy = _policy(system, options.policy, catalogue)
    coverage = Coverage()
    chosen = sources.probes(system, options.only, coverage)
    inspections = [probe for probe in chosen if isinstance(probe, InspectionProbe)]
    trials = [probe for probe in chosen if not isinstance(probe, InspectionProbe)]
    spending = Spending(system, _budget(system, options))
    with _opener(options) as opener:
        targets = open_targets(system, opener=opener) if trials else {}
        judge = sources.judge(system, spending.open_judge_target) if targets else None
        attacker = sources.attacker(system, targets, spending.open_attacker) if targets else None
        with EvidenceStore.open(options.out / FILE_NAME) as store:
            run = begin(store, system, seed=options.seed, policy=policy.id, resume=options.resume)
            work = _Assessment(
                system=system,
                catalogue=catalogue,
                policy=policy,
                spending=spending,
                store=store,
                run=run,
                targets=targets,
                judge=judge,
                attacker=attacker,
                coverage=coverage,
                redact=options.redact,
            )
            spending.ledger.progress = open_progress(spending.plan(), stream)
            if options.resume and not run.resumed:
                spending.ledger.note(
                    f"there is no run to resume in {options.out}: a new one begins"
                )
            try:
                document = work.carry_out(inspections, trials, named=options.only is not None)
            finally:
                spending.ledger.close()
    write_outputs(document, options.out)
    return document


def _budget(system: System, options: Options) -> Budget:
    """What the command line bounds, else the manifest.

    Calls have no default where something else is bounded, as in a manifest.
    """
    budget = system.budget
    if options.budget_tokens is not None:
        calls = budget.calls if "budget" in system.lines else None
        budget = replace(budget, calls=calls, tokens=options.budget_tokens)
    return budget if options.budget is None else replace(budget, calls=options.budget)


@contextmanager
def _opener(options: Options) -> Iterator[TargetOpener]:
    """What opens the targets: in this process, or in replicas on a cluster while the run lasts.

    Raises:
        InputError: there is no such cluster, or it is too small.
        MissingExtraError: Ray is not installed.
    """
    if options.workers is None:
        yield open_target
        return
    from buttress.targets.ray_replicas import RayCluster

    cluster = RayCluster(options.replicas)
    try:
        yield cluster.open
    finally:
        cluster.close()


def _policy(system: System, chosen: str | None, catalogue: Catalogue) -> Policy:
    """The policy of the command line, else that of the manifest.

    Raises:
        InputError: there is none of the name, or it is malformed.
    """
    if chosen is not None:
        return load_policy(chosen, catalogue.risks.keys(), resolve)
    with naming_field(system, "policy"):
        return load_policy(system.policy, catalogue.risks.keys(), resolve)


class _Assessment:
    """One run, from its probes to its document."""

    def __init__(
        self,
        *,
        system: System,
        catalogue: Catalogue,
        policy: Policy,
        spending: Spending,
        store: EvidenceStore,
        run: Run,
        targets: dict[str, Target],
        judge: Judge | None,
        attacker: Target | None,
        coverage: Coverage,
        redact: bool = True,
    ) -> None:
        self._system = system
        self._redact = redact
        self._catalogue = catalogue
        self._policy = policy
        self._spending = spending
        self._store = store
        self._run = run
        self._targets = targets
        self._coverage = coverage
        self._judge = judge
        self._attacker = attacker
        self._prepared = Prepared()
        self._stop_reason = "there was nothing to ask"
        self._began = time.time()
        self._empty = {asset.id for asset in system.assets if is_empty(asset.paths)}
        for name in self._empty:
            self._coverage.record_skip(name, "there is no file in it")
        self._asked: Counter[str] = Counter()  # by arm, those without an outcome included
        self._unanswered: Counter[str] = Counter()
        self._textless: Counter[str] = Counter()
        self._outlook_said = False

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
                spending=self._spending,
                coverage=self._coverage,
                named=named,
            )
        inspect(
            self._system.assets,
            inspections,
            self._run.id,
            self._store,
            self._spending.ledger.say,
            failed=lambda probe, asset, why: self._coverage.record_skip(arm_id(probe, asset), why),
            knowledge=installed(),
        )
        if not named:
            ask_hosts(
                self._system,
                self._run.id,
                self._store,
                self._coverage,
                self._spending.ledger.say,
                out=self._store.path.parent,
            )
        if self._judge is not None:
            run_async(self._ask(self._judge))
        return self._document()

    def _say_outlook(self) -> None:
        """What the judge can't decide, once the system answers at all."""
        known = {
            outcome.risk.id: (asdict(outcome.outlook), outcome.tolerance.limit)
            for outcome in self._prepared.outcomes
            if outcome.outlook is not None
        }
        if known and not self._outlook_said:
            self._spending.ledger.note(run_words.outlooks(known))
        self._outlook_said = True

    async def _ask(self, judge: Judge) -> None:
        allowance = self._spending.allowance
        if self._run.resumed:
            run = self._run.id
            self._spending.asked_before(self._store.trials(run=run), self._store.turns(run=run))
            if said := self._spending.overdrawn():
                self._spending.ledger.note(said)
        planner = Planner(
            self._prepared.planned, calls=self._spending.plannable, seed=self._run.seed
        )
        campaign = Campaign(
            self._prepared.arms,
            planner,
            observe=self._observe,
            stopped=lambda: allowance.reason or allowance.time_over(),
            began=time.time(),
        )
        allowance.start()
        try:
            async with self._spending.waits.telling():
                await campaign.run()
            self._stop_reason = campaign.stop_reason
            for name, why in campaign.without_attacker.items():
                self._coverage.record_skip(name, f"it ended early: {why}")
            if campaign.deaths and not self._spending.answered:
                raise ButtressError("; ".join(campaign.deaths))
        except InputError:
            raise
        except ButtressError as error:
            if not self._spending.answered:
                raise
            self._stop_reason = str(error)
        finally:
            closing = [target.aclose() for target in self._targets.values()]
            if self._attacker is not None and self._attacker not in self._targets.values():
                closing.append(self._attacker.aclose())
            await asyncio.gather(*closing, close_judge(judge))

    def _observe(self, arm: Arm, specs: Sequence[TrialSpec], trials: Sequence[Trial]) -> None:
        self._asked[arm.id] += len(specs)
        self._unanswered[arm.id] += len(specs) - len(trials)
        self._textless[arm.id] += sum(
            trial.abstained and not trial.answer.strip() for trial in trials
        )
        if trials:
            self._say_outlook()
        arm.observe(specs, trials)

    def _take_in_labels(self, outcome: TrialOutcome) -> None:
        """What people said about trials of this run, as when it was labelled and resumed."""
        run, probe = self._run.id, outcome.risk.probe
        labels = list(self._store.labels(run=run, probe=probe))
        for asset, state in outcome.states.items():
            mine = [label for label in labels if label.asset == asset]
            if mine and isinstance(state, RiskState):
                trials = self._store.trials(run=run, probe=probe)
                arm = self._prepared.arms[arm_id(probe or "", asset)]
                if self._asked[arm.id] == arm.size and not self._unanswered[arm.id] and arm.even:
                    outcome.asked_whole.add(asset)
                outcome.take_in_labels(
                    asset, (trial for trial in trials if trial.asset == asset), mine
                )

    def _look_ahead(self, outcome: TrialOutcome) -> None:
        """What labels would bring to a risk that is still undecided."""
        if outcome.verdict != "undecided" or outcome.lacks_answers or not outcome.can_be_labelled:
            return
        run, probe, asset = self._run.id, outcome.risk.probe, outcome.worst_asset
        trials = self._store.trials(run=run, probe=probe)
        labels = self._store.labels(run=run, probe=probe)
        outcome.look_ahead(
            [trial for trial in trials if trial.asset == asset],
            [label for label in labels if label.asset == asset],
            self._run.seed,
        )

    def _note_unanswered(self, totals: Totals) -> None:
        """Say which questions have no outcome, and what targets refused to take."""
        for name, count in self._unanswered.items():
            if count:
                share = count / self._asked[name]
                said = totals.messages.most_common(1)
                why = f"; most often: {said[0][0]}" if said else ""
                self._coverage.record_skip(
                    f"{count:,} of {self._asked[name]:,} questions of {name} ({share:.0%})",
                    "they have no outcome, so they count as failures for the upper bound and as "
                    f"none for the lower{why}",
                )
        for asset, target in self._targets.items():
            for change in getattr(target, "adaptations", ()):
                self._coverage.record_skip(f"a part of how {asset} was to be asked", change)

    def _document(self) -> dict[str, Any]:
        run = self._run.id
        findings = list(self._store.findings(run=run))
        inspections = list(self._store.inspections(run=run))
        tallied = tally(self._store.trials(run=run))
        for outcome in self._prepared.outcomes:
            self._take_in_labels(outcome)
        outcomes: list[Outcome] = []
        for outcome in self._prepared.outcomes:
            for asset in outcome.states:
                where = arm_id(outcome.risk.probe or "", asset)
                missing = self._unanswered[where] + self._textless[where]
                outcome.unanswered[asset] = missing, self._asked[where]
            if any(state.sequence.trials for state in outcome.states.values()):
                self._look_ahead(outcome)
                outcomes.append(outcome)
        failed = {name for name, _ in self._coverage.not_covered}
        for name, arm in self._prepared.arms.items():
            ran = self._asked[name] or tallied.arms.get((arm.probe.id, arm.asset.id))
            if name not in failed and not ran:
                self._coverage.record_skip(name, f"no trial was run: {self._stop_reason}")
        inspected_at = [seen for seen in inspections if seen.asset not in self._empty]
        outcomes += inspected(self._catalogue, self._policy, findings, inspected_at)
        if not any(isinstance(outcome, TrialOutcome) for outcome in outcomes):
            self._coverage.record_skip("how the system answers", NO_MODEL)
        examined = {seen.asset: None for seen in inspections} | {
            asset: None for _, asset in tallied.arms
        }
        self._coverage.check_assets(self._system.assets, examined)
        ledger = self._spending.ledger
        totals = ledger.together()
        self._note_unanswered(totals)
        for reason, count in tallied.abstained.most_common(_REASONS):
            self._coverage.record_skip(
                f"{count:,} {'answer' if count == 1 else 'answers'}",
                f"the outcome is open, they count as either: {reason}",
            )
        if not outcomes:
            why = "; ".join(f"{what}: {reason}" for what, reason in self._coverage.not_covered)
            raise NothingAssessedError(f"nothing could be assessed ({why})")
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
                "attacker_calls": self._spending.attacker_before + ledger.calls_of(ATTACKER),
                "judge_calls": ledger.calls_of(JUDGE),
                "trials": tallied.trials,
                "cached": tallied.cached,
                "errors": totals.errors,
                "prompt_tokens": max(totals.prompt_tokens, tallied.prompt_tokens),
                "completion_tokens": max(totals.completion_tokens, tallied.completion_tokens),
                "tokens": self._spending.allowance.spent_tokens(),
                "estimated_tokens": totals.estimated > 0,
                "unanswered": sum(self._unanswered.values()),
                "refused_by": dict(tallied.refused_by),
                "finish_reasons": dict(tallied.finish_reasons),
                "no_help": dict(tallied.no_help),
                "seconds": finished - self._began,
                "cost": self._spending.cost(),
                "error_messages": dict(totals.messages),
            },
            budget={
                "calls": self._spending.budget.calls,
                "minutes": self._spending.budget.minutes,
                "cost": self._spending.budget.cost,
                "tokens": self._spending.budget.tokens,
            },
            finished=finished,
            redact=self._redact,
        )
