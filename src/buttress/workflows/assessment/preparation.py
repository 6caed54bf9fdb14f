"""Opens targets and turns (probe, asset) pairs into arms."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from buttress.errors import FOREIGN_FAILURES, ButtressError
from buttress.evidence.base import RecordStore
from buttress.evidence.records import Plan
from buttress.judges.calibrated import as_counts, certain_counts
from buttress.probes.behaviour.attack_cells import CellwiseProbe
from buttress.prompts.base import Prompt
from buttress.protocols.judge import NONE_CERTAIN, CertainFailures, Judge
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialProbe
from buttress.risk.catalogue import Catalogue, Risk
from buttress.risk.cells import CellsState
from buttress.risk.planner import PlannedArm
from buttress.risk.policy import Policy
from buttress.risk.verdict import RiskState
from buttress.statistics.correction import UNMEASURED, CalibrationCounts
from buttress.statistics.judge_outlook import outlook
from buttress.system.model import Asset, Price, System
from buttress.targets.base import Recorded, Target, takes_images
from buttress.targets.open import open_target
from buttress.trials.engine import TrialEngine
from buttress.trials.totals import Totals
from buttress.workflows.assessment import sources
from buttress.workflows.assessment.arms import Arm, CellArm, State, arm_id
from buttress.workflows.assessment.coverage import Coverage
from buttress.workflows.assessment.failures import until_failure, why_left_out
from buttress.workflows.assessment.ledger import ATTACKER
from buttress.workflows.assessment.outcomes import TrialOutcome
from buttress.workflows.assessment.runs import Run
from buttress.workflows.assessment.spending import Spending
from buttress.workflows.opening import TargetOpener, open_asset


@dataclass(slots=True)
class Prepared:
    """What a campaign runs on. ``family`` is the number of verdicts that are taken together."""

    arms: dict[str, Arm] = field(default_factory=dict)
    planned: list[PlannedArm] = field(default_factory=list)
    outcomes: list[TrialOutcome] = field(default_factory=list)
    family: int = 1


def open_targets(
    system: System, only: str | None = None, opener: TargetOpener = open_target
) -> dict[str, Target]:
    """The targets of all assets that answer, or of the one, by asset id; ``opener`` opens them.

    The asset that is the attacker is opened as well.

    Raises:
        InputError: a target's settings are not usable.
        MissingExtraError: it needs a package that is not installed.
    """
    attacker = (system.attacker or {}).get("asset")
    return {
        asset.id: open_asset(asset, base=system.base, opener=opener)
        for asset in system.assets
        if asset.is_target and (only is None or asset.id in (only, attacker))
    }


def counts(judge: Judge, probe: TrialProbe) -> CalibrationCounts | None:
    """The judge's calibration on what the probe expects, as the statistics take it.

    None where outcomes are exact. Where nobody calibrated the judge, its outcomes may clear a
    system, as judged, and never speak against one.
    """
    if probe.exact:
        return None
    known = judge.calibration(probe.expect)
    return UNMEASURED if known is None else as_counts(known)


def certain_failures(judge: Judge, probe: TrialProbe) -> CertainFailures | None:
    """The failures that the judge is certain of; None where it makes no difference.

    A judge that nobody calibrated is certain of none: then only failures without a judge count.
    """
    if probe.exact:
        return None
    known = judge.calibration(probe.expect)
    return known.certain if known is not None and as_counts(known).measured else NONE_CERTAIN


def labelled_sample(judge: Judge, probe: TrialProbe) -> tuple[int, int] | None:
    """Failures and labels of a random sample of the system's answers to the probe, if there is."""
    known = None if probe.exact else judge.calibration(probe.expect)
    if known is None or known.sample is None or known.sample.probe != probe.id:
        return None
    return known.sample.failures, known.sample.labels


def prepare(
    system: System,
    targets: Mapping[str, Target],
    probes: Sequence[TrialProbe],
    *,
    judge: Judge,
    attacker: Target | None,
    policy: Policy,
    catalogue: Catalogue,
    store: RecordStore,
    run: Run,
    spending: Spending,
    coverage: Coverage,
    named: bool,
) -> Prepared:
    """Arms for all probes on all targets, with the states of the risks that they inform.

    ``named`` says that the user named the probes, who is then told of those that decide nothing.
    """
    prepared = Prepared()
    ledger, judge_calls = spending.ledger, spending.allowance.judge_calls
    attackers = Totals()
    if attacker is not None:
        price = _price_of_attacker(system, ledger.other_prices.get(ATTACKER))
        attackers = ledger.open_other(ATTACKER, price)
    prompts: list[Prompt] = []
    if any(not isinstance(target, Recorded) for target in targets.values()):
        prompts = sources.prompts(system, coverage)
    informed = {
        probe.id: [
            risk
            for risk in catalogue.risks.values()
            if risk.probe == probe.id and risk.id in policy.risks
        ]
        for probe in probes
    }
    for asset in system.assets:
        target = targets.get(asset.id)
        if target is None:
            continue
        context = context_for(system, asset, target, prompts, run, attacker=attacker is not None)
        engine = TrialEngine(
            target,
            judge,
            store,
            asset=asset.id,
            run=run.id,
            seed=run.seed,
            progress=ledger,
            totals=ledger.open(asset),
            attacker=attacker,
            attacker_totals=attackers,
            allowance=spending.allowance,
            waits=spending.waits,
            own_refusals=system.refusals,
            harmless=next((one.text for one in prompts if one.expect == "answer"), ""),
        )
        for probe in probes:
            name = arm_id(probe.id, asset.id)
            if not informed[probe.id]:
                if named:  # else the policy simply doesn't ask for it
                    why = f"no risk in policy '{policy.id}' is informed by it"
                    coverage.record_skip(name, why)
                continue
            finite = is_finite(policy, counts(judge, probe))
            try:
                arm = _arm(
                    probe,
                    asset,
                    engine,
                    replace(context, by_prompt=not finite),
                    judge_calls=judge_calls,
                    certain=certain_failures(judge, probe),
                    record_skip=partial(coverage.record_skip, name),
                )
            except NotCoveredError as error:
                coverage.record_skip(name, str(error))
                continue
            except ButtressError:
                raise
            except FOREIGN_FAILURES as error:
                coverage.record_skip(name, why_left_out(error))
                continue
            prepared.arms[name] = arm
        if isinstance(target, Recorded) and target.left_out:
            coverage.record_skip(
                f"{target.left_out:,} records of {asset.id}",
                "they don't say what a safe model does",
            )
    if policy.family_wise:
        verdicts = [len(informed[arm.probe.id]) for arm in prepared.arms.values()]
        prepared.family = max(1, sum(verdicts))
    for probe in probes:
        sampled = labelled_sample(judge, probe)
        if sampled is not None and sum(arm.probe is probe for arm in prepared.arms.values()) > 1:
            why = "several assets are asked, and the calibration file does not say whose answers"
            coverage.record_skip(f"the labelled sample of {probe.id}", why)
            sampled = None
        for risk in informed[probe.id]:
            _add_outcome(
                prepared,
                risk,
                probe,
                counts(judge, probe),
                policy,
                certain=certain_failures(judge, probe),
                sampled=sampled,
                seed=run.seed,
            )
    _plan(prepared, targets)
    commit_plan(store, run, policy, prepared)
    return prepared


def commit_plan(store: RecordStore, run: Run, policy: Policy, prepared: Prepared) -> None:
    """Put seed, estimand, limits and error rates into the evidence before the first question.

    Who reads the evidence sees from the chain that they were not chosen after the answers.
    """
    arms = {
        name: {
            "trials": arm.available,
            "by_prompt": arm.by_prompt,
            "verdicts": [
                {
                    "risk": outcome.risk.id,
                    "limit": outcome.tolerance.limit,
                    "alpha": outcome.tolerance.alpha,
                    "beta": outcome.tolerance.beta,
                    "minimum_trials": outcome.tolerance.minimum_trials,
                    "decide_by": policy.decide_by,
                }
                for outcome in prepared.outcomes
                if outcome.risk.probe == arm.probe.id
            ],
        }
        for name, arm in prepared.arms.items()
    }
    if not arms:
        return
    plan = Plan(run.id, time.time(), run.seed, policy.id, policy.estimand, prepared.family, arms)
    earlier = [replace(one, time=plan.time) for one in store.plans(run=run.id)]
    if plan not in earlier:
        store.append([plan])


def is_finite(policy: Policy, calibration: CalibrationCounts | None) -> bool:
    """Whether a rate is that of the set in use and no other prompts.

    Where the judge errs, what it says of a whole set is still a sample of what it might have said:
    then the bounds are those for prompts like these, which hold for the set as well.
    """
    return policy.estimand == "this-set" and calibration is None


def _price_of_attacker(system: System, own: Price | None) -> Price:
    """Its own, or that of the asset that it is."""
    if own is not None:
        return own
    name = (system.attacker or {}).get("asset")
    return next((asset.price for asset in system.assets if asset.id == name), Price())


def _arm(
    probe: TrialProbe,
    asset: Asset,
    engine: TrialEngine,
    context: TrialContext,
    *,
    judge_calls: int,
    certain: CertainFailures | None,
    record_skip: Callable[[str], None],
) -> Arm:
    score = 0.0 if certain is None else certain.score
    if isinstance(probe, CellwiseProbe):
        cells = {
            name: replace(cell, stream=until_failure(cell.stream, record_skip))
            for name, cell in probe.cells(context).items()
        }
        available = sum(cell.size for cell in cells.values())
        return CellArm(
            probe, asset, engine, iter(()), available, context.by_prompt, judge_calls, score,
            cells=cells,
        )  # fmt: skip
    stream = until_failure(probe.stream(context), record_skip)
    size = probe.size(context)
    return Arm(probe, asset, engine, stream, size, context.by_prompt, judge_calls, score)


def context_for(
    system: System,
    asset: Asset,
    target: Target,
    prompts: Sequence[Prompt],
    run: Run,
    *,
    attacker: bool,
) -> TrialContext:
    """What probes draw on when they ask ``target``."""
    recorded = target.prompts() if isinstance(target, Recorded) else None
    return TrialContext(
        seed=run.seed,
        prompts=prompts,
        recorded=recorded,
        system_prompt=asset.system_prompt,
        max_tokens=asset.max_tokens,
        # A recording is a sample that was drawn elsewhere, in categories of its own.
        weights=dict(system.profile.categories) if recorded is None else None,
        languages=system.languages,
        attacker=attacker,
        images=takes_images(target),
    )


def _add_outcome(
    prepared: Prepared,
    risk: Risk,
    probe: TrialProbe,
    calibration: CalibrationCounts | None,
    policy: Policy,
    *,
    certain: CertainFailures | None,
    sampled: tuple[int, int] | None,
    seed: int,
) -> None:
    arms = [arm for arm in prepared.arms.values() if arm.probe.id == probe.id]
    if not arms:
        return
    surely = certain_counts(certain) if certain is not None and certain.systems else None
    by_estimate = policy.decide_by == "estimate"
    finite = is_finite(policy, calibration)
    family = prepared.family if policy.family_wise else len(arms)
    outcome = TrialOutcome(
        risk,
        policy.risks[risk.id],
        by_estimate=by_estimate,
        estimand="this-set" if finite else "prompts-like-these",
        asked_estimand=policy.estimand,
        family=family,
        exact=probe.exact,
    )
    for arm in arms:
        state: State
        if isinstance(arm, CellArm):
            sizes = [cell.size for cell in arm.cells.values()]
            prompts = [cell.prompts for cell in arm.cells.values()]
            state = CellsState(
                outcome.tolerance,
                list(arm.cells),
                calibration,
                family=family,
                available=sizes if finite else prompts,
                seed=seed,
                sizes=sizes if finite else None,
                certain=surely,
            )
        else:
            state = RiskState(
                outcome.tolerance,
                calibration,
                by_estimate=by_estimate,
                family=family,
                finite=finite,
                size=arm.available if arm.even else None,
                certain=surely,
                without_judge=certain is NONE_CERTAIN,
                sampled=sampled,
            )
        outcome.states[arm.asset.id] = state
        outcome.designs[arm.asset.id] = arm.design
        arm.states.append(state)
    bounds_decide = not by_estimate or calibration == UNMEASURED
    if calibration is not None and bounds_decide and outcome.can_be_labelled and not sampled:
        tolerance = outcome.tolerance
        outcome.outlook = outlook(
            calibration, tolerance.limit, tolerance.alpha, tolerance.beta / family, surely
        )
    prepared.outcomes.append(outcome)


def _plan(prepared: Prepared, targets: Mapping[str, Target]) -> None:
    weights: dict[str, float] = {}
    for outcome in prepared.outcomes:
        probe = outcome.risk.probe or ""
        weights[probe] = max(weights.get(probe, 0.0), float(outcome.risk.level))
    for name, arm in prepared.arms.items():
        # Where several risks rest on one probe, the one that takes most trials sets the pace.
        hardest = min(arm.states, key=lambda state: state.tolerance.limit)
        if isinstance(arm, CellArm):
            assert isinstance(hardest, CellsState)
            arm.chooser = hardest
        # A trial of several questions keeps as many places busy for longer.
        places = max(4, min(targets[arm.asset.id].concurrency, 64)) // min(arm.calls, 4)
        prepared.planned.append(
            PlannedArm(
                id=name,
                state=hardest,
                weight=weights[arm.probe.id],
                remaining=arm.available,
                granularity=places,
                calls_each=arm.calls,
            )
        )
