"""Answers that the evidence holds already: not asked again, and judged anew where that matters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from buttress.evidence.records import Trial
from buttress.protocols.judge import DECISIONS, Judge, Judgement
from buttress.protocols.probe import TrialSpec
from buttress.targets.base import Answer, Target
from buttress.trials.commit import Answered, Store, TrialOrigin
from buttress.trials.judging import decided_by


class KnownAnswers:
    """Those of a store, for the trials of one run."""

    def __init__(self, store: Store, judge: Judge, origin: TrialOrigin, target: Target) -> None:
        self._store = store
        self._judge = judge
        self._origin = origin
        self._target = target
        self._handed: set[tuple[str, str, str]] = set()

    def handed(self, trials: Iterable[Trial]) -> None:
        """Note trials that this run has handed over."""
        self._handed.update((trial.key, trial.probe, trial.item) for trial in trials)

    def look_up(self, keys: Sequence[str]) -> list[Trial | None]:
        """A stored trial with each content address; called from threads.

        Of a target that may answer otherwise tomorrow, only what this run has heard counts.
        """
        found = self._store.answers_for(keys)
        if self._target.stable:
            return found
        return [trial if trial and trial.run == self._origin.run else None for trial in found]

    def holds(self, trial: Trial, spec: TrialSpec) -> bool:
        """Whether this very trial is in the evidence already, from before the run was resumed.

        One that this run was handed already is not that: the same may be asked twice.
        """
        return (
            self._same_judgement(trial, spec)
            and (trial.run, trial.asset) == (self._origin.run, self._origin.asset)
            and (trial.probe, trial.probe_version) == (spec.probe, spec.probe_version)
            and trial.item == spec.item
            and (trial.key, trial.probe, trial.item) not in self._handed
        )

    def _same_judgement(self, trial: Trial, spec: TrialSpec) -> bool:
        return (
            (trial.judge, trial.judge_version) == decided_by(spec, self._judge)
            and (trial.request, trial.expect) == (spec.request, spec.expect)
            and (trial.category, trial.language) == (spec.category, spec.language)
            # A check belongs to its probe and item: another's may look for something else.
            and (spec.check is None or (trial.probe, trial.item) == (spec.probe, spec.item))
        )

    def again(self, index: int, spec: TrialSpec, key: str, trial: Trial) -> Answered:
        """A known answer as that to ``spec``, to be judged again where that matters."""
        answer = Answer(
            trial.answer,
            prompt_tokens=trial.prompt_tokens,
            completion_tokens=trial.completion_tokens,
            latency_s=trial.latency_s,
            reasoning=trial.reasoning,
            refused_by=trial.refused_by,
            finish_reason=trial.finish_reason,
            subject=trial.subject,
        )
        judgement = None
        if self._same_judgement(trial, spec):
            judgement = Judgement(
                trial.outcome,
                trial.score,
                trial.reason,
                DECISIONS.get(trial.decision, ""),
                trial.abstained,
            )
        return Answered(
            index,
            spec,
            key,
            trial.prompt,
            answer,
            trial.calls,
            cached=True,
            judgement=judgement,
        )
