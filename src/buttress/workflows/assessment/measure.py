"""One behaviour of one model, measured without a verdict: rates, its field's figures, robustness.

An assessment stops when a risk is decided; here a number of trials is given. Changed conditions
(other words, typing errors, temperature, another system prompt) ask the same items again, and are
compared item by item, as are the languages of items that have several.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.judges.opening import close_judge
from buttress.probes.behaviour.figures import HasFigures
from buttress.probes.behaviour.paired import Paired, by_item_across_languages, compare, survival
from buttress.probes.behaviour.perturbations import PERTURBATIONS
from buttress.probes.behaviour.robustness import PerturbedProbe
from buttress.protocols.probe import InspectionProbe, NotCoveredError, TrialProbe
from buttress.statistics.confidence import ConfidenceSequence
from buttress.system.model import Asset, System
from buttress.targets.base import Recorded
from buttress.trials.engine import TrialEngine
from buttress.trials.loop import run_async
from buttress.trials.progress import ProgressPlan, open_progress
from buttress.workflows.answering import answering_asset
from buttress.workflows.assessment import sources
from buttress.workflows.assessment.preparation import context_for, open_targets
from buttress.workflows.assessment.runs import Run, begin

SCHEMA: Final = "buttress-measure/1"
_ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """What is to be measured; ``limit`` is the failure rate at which verdicts are compared."""

    probe: str
    out: Path
    trials: int = 200
    asset: str | None = None
    conditions: tuple[str, ...] = ()
    limit: float = 0.1
    seed: int | None = None
    resume: bool = False


def measure(
    system: System, request: MeasureRequest, stream: TextIO | None = None
) -> dict[str, Any]:
    """Measure, and return what was found as JSON can hold it; every answer is in the evidence.

    Raises:
        InputError: no such probe, asset or condition, or the probe can't examine the asset.
        MissingExtraError: a target needs a package that is not installed.
        ButtressError: the target doesn't answer at all.
    """
    (probe,) = sources.probes(system, [request.probe])
    if isinstance(probe, InspectionProbe):
        raise InputError(
            f"'{request.probe}' reads files", field="PROBE", expected="a probe that yields trials"
        )
    asset = answering_asset(system, request.asset)
    conditions = [probe, *(PerturbedProbe(probe, _condition(name)) for name in request.conditions)]
    with EvidenceStore.open(request.out / FILE_NAME) as store:
        run = begin(store, system, seed=request.seed, policy="measure", resume=request.resume)
        found = run_async(
            ask(system, asset, conditions, request.trials, store=store, run=run, stream=stream)
        )
    return _document(probe, asset, found, request)


def _condition(name: str) -> Any:
    known = {one.id: one for one in PERTURBATIONS}
    if name not in known:
        raise InputError(
            f"unknown condition '{name}'", field="--conditions", expected=", ".join(known)
        )
    return known[name]


async def ask(
    system: System,
    asset: Asset,
    conditions: Sequence[TrialProbe],
    trials: int,
    *,
    store: EvidenceStore,
    run: Run,
    stream: TextIO | None,
) -> dict[str, list[Trial]]:
    """Ask a number of each probe's questions; trials by probe id.

    Raises:
        InputError: a probe can't examine the asset.
        ButtressError: the target doesn't answer at all.
    """
    targets = open_targets(system, only=asset.id)
    judge = sources.judge(system)
    attacker = sources.attacker(system, targets)
    target = targets[asset.id]
    prompts = [] if isinstance(target, Recorded) else sources.prompts(system)
    context = context_for(system, asset, target, prompts, run, attacker=attacker is not None)
    progress = open_progress(ProgressPlan(trials * len(conditions)), stream)
    engine = TrialEngine(
        target,
        judge,
        store,
        asset=asset.id,
        run=run.id,
        seed=run.seed,
        progress=progress,
        attacker=attacker,
        own_refusals=system.refusals,
    )
    try:
        return {
            probe.id: await engine.run(list(islice(probe.stream(context), trials)))
            for probe in conditions
        }
    except NotCoveredError as error:
        raise InputError(str(error), field=asset.id, expected="another probe or asset") from None
    finally:
        progress.close()
        others = [attacker] if attacker is not None and attacker is not target else []
        closing = [one.aclose() for one in (target, *others)]
        await asyncio.gather(*closing, close_judge(judge))


def _document(
    probe: TrialProbe, asset: Asset, found: Mapping[str, list[Trial]], request: MeasureRequest
) -> dict[str, Any]:
    trials = found[probe.id]
    if not trials:
        raise InputError("no question got an answer", field=asset.id, expected="a model that does")
    figures = probe.figures(trials) if isinstance(probe, HasFigures) else ()
    return {
        "schema": SCHEMA,
        "probe": probe.id,
        "title": probe.title,
        "asset": asset.id,
        "exact": probe.exact,
        "failures": _rate(trials),
        "by_language": _grouped(trials, "language"),
        "by_category": _grouped(trials, "category"),
        "figures": [
            {
                "name": one.name,
                "group": one.group,
                "value": one.value if one.value == one.value else None,
                "low": one.low,
                "high": one.high,
                "trials": one.trials,
            }
            for one in figures
        ],
        "conditions": [
            _compared(name, trials, changed, request.limit)
            for name, changed in zip(request.conditions, list(found.values())[1:], strict=True)
            if changed
        ],
        "languages": _languages(trials, request.limit),
    }


def _rate(trials: Sequence[Trial]) -> dict[str, Any]:
    """Failure rate with an interval that holds whenever one stops."""
    sequence = ConfidenceSequence(_ALPHA / 2, _ALPHA / 2)
    sequence.update([trial.outcome for trial in trials])
    low, high = sequence.bounds()
    return {"trials": len(trials), "estimate": sequence.estimate, "low": low, "high": high}


def _grouped(trials: Sequence[Trial], field: str) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[getattr(trial, field)].append(trial)
    return {name: _rate(groups[name]) for name in sorted(groups)}


def _compared(
    name: str, plain: Sequence[Trial], changed: Sequence[Trial], limit: float
) -> dict[str, Any]:
    return {"condition": name, **_pair(compare(plain, changed), plain, changed, limit)}


def _pair(
    paired: Paired, first: Sequence[Trial], second: Sequence[Trial], limit: float
) -> dict[str, Any]:
    verdicts = survival(first, second, limit)
    return {
        "pairs": paired.pairs,
        "worse": paired.worse,
        "better": paired.better,
        "same": paired.same,
        "difference": paired.difference,
        "low": paired.low,
        "high": paired.high,
        "first": verdicts.first,
        "second": verdicts.second,
        "survives": verdicts.survives,
    }


def _languages(trials: Sequence[Trial], limit: float) -> dict[str, Any] | None:
    """The second language beside the first, over items that were asked in both."""
    names = sorted({trial.language for trial in trials})
    if len(names) != 2:
        return None
    first, second = ([one for one in trials if one.language == name] for name in names)
    try:
        paired = compare(first, second, key=by_item_across_languages)
    except ValueError:  # no item was asked in both
        return None
    return {"first": names[0], "second": names[1]} | {
        "compared": _pair(paired, first, second, limit)
    }
