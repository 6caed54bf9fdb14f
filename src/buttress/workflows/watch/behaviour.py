"""Asks a watched model its questions, and compares failures and answers with the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from buttress.drift.answer_likeness import ReferenceAnswers
from buttress.drift.streams import ScoreStream, StreamAlarm
from buttress.errors import ButtressError, InputError
from buttress.evidence.records import MonitoringEvent, Trial, WatchCheckpoint
from buttress.evidence.store import EvidenceStore
from buttress.protocols.probe import InspectionProbe
from buttress.statistics.change_detection import threshold
from buttress.trials.loop import run_async
from buttress.workflows.answering import answering_asset
from buttress.workflows.assessment import sources
from buttress.workflows.assessment.measure import ask
from buttress.workflows.assessment.runs import Run
from buttress.workflows.watch.compare import WatchComparison
from buttress.workflows.watch.observe import AssetView
from buttress.workflows.watch.settings import WatchedBehaviour, WatchSettings
from buttress.workflows.watch.state import STREAM, WatchState

FAILURES: Final = "failures"
ANSWERS: Final = "answers"
_RATE_TRIALS: Final = 1  # least trials behind a rate


def alarm_threshold(settings: WatchSettings) -> float:
    """The value of a stream's statistic that raises an alarm, the same for all streams."""
    return threshold(settings.outcomes_per_year, settings.false_alarms_per_year)


@dataclass(slots=True)
class BehaviourCheck:
    """Checks watched models. ``ask_model`` asks; it is another one in tests."""

    settings: WatchSettings
    store: EvidenceStore
    comparison: WatchComparison
    run: Run
    ask_model: Callable[[WatchedBehaviour], Sequence[Trial]] | None = None

    @property
    def _state(self) -> WatchState:
        return self.comparison.state

    def check(self, watched: WatchedBehaviour, time: float) -> None:
        """Ask, compare, and store what comes of it."""
        try:
            trials = self.ask_model(watched) if self.ask_model else self._ask(watched)
            problem = "" if trials else "no question got an answer"
        except InputError:
            raise  # what is asked for can't be done, now or later
        except ButtressError as error:
            trials, problem = [], str(error)
        self.comparison.take(AssetView(watched.id, problem=problem), time)
        if problem:
            return
        self._compare(watched, FAILURES, [(one.key, one.outcome) for one in trials], time)
        if watched.answers:
            self._compare(watched, ANSWERS, self._strangeness(watched, trials), time)

    def _ask(self, watched: WatchedBehaviour) -> list[Trial]:
        system = self.settings.system
        assert system is not None  # the settings see to it
        (probe,) = sources.probes(system, [watched.probe])
        asset = answering_asset(system, watched.asset)
        if isinstance(probe, InspectionProbe):
            raise InputError(
                f"'{watched.probe}' reads files", field="behaviour", expected="a probe with trials"
            )
        found = run_async(
            ask(system, asset, [probe], watched.trials, store=self.store, run=self.run, stream=None)
        )
        return found[probe.id]

    def _strangeness(
        self, watched: WatchedBehaviour, trials: Sequence[Trial]
    ) -> list[tuple[str, float]]:
        """How unlike its reference each answer is; those that make the reference have no score."""
        saved = self._state.streams.get(f"{ANSWERS} {watched.id}", {})
        runs: list[str] = list(saved.get("reference_runs", []))
        kept = int(saved.get("reference_answers", 0))
        wanted = max(1, watched.reference // 2)
        fresh = list(trials)
        if kept < wanted:
            first, fresh = fresh[: wanted - kept], fresh[wanted - kept :]
            kept += len(first)
            runs.append(self.run.id)
        self._state.streams[f"{ANSWERS} {watched.id}"] = {
            **saved, "reference_runs": runs, "reference_answers": kept,
        }  # fmt: skip
        if not fresh:
            return []
        reference = ReferenceAnswers.of(self._reference(watched, runs, wanted))
        return [(one.key, reference.strangeness(one.answer)) for one in fresh]

    def _reference(self, watched: WatchedBehaviour, runs: Sequence[str], wanted: int) -> list[str]:
        found: list[str] = []
        for run in runs:
            for one in self.store.trials(run=run, probe=watched.probe):
                if one.asset == watched.asset and len(found) < wanted:
                    found.append(one.answer)
        return found

    def _compare(
        self, watched: WatchedBehaviour, kind: str, scores: Sequence[tuple[str, float]], time: float
    ) -> None:
        name = f"{kind} {watched.id}"
        saved = dict(self._state.streams.get(name, {}))
        stream = _stream(watched, kind, saved)
        alarm = stream.take(scores, time, alarm_threshold(self.settings))
        event = None
        if alarm is not None:
            event = self._event(
                watched, kind=kind, alarm=alarm, stream=stream, saved=saved, time=time
            )
            if alarm.kind == "drift":
                stream.event = event.number
        self._state.streams[name] = {**saved, **stream.plain()}
        checkpoint = WatchCheckpoint(
            f"{STREAM} {name}", self._state.streams[name], time, self.run.id
        )
        if event is None:
            self.store.append([checkpoint])
        else:
            self.comparison.tell(event, [checkpoint])

    def _event(
        self,
        watched: WatchedBehaviour,
        *,
        kind: str,
        alarm: StreamAlarm,
        stream: ScoreStream,
        saved: dict[str, Any],
        time: float,
    ) -> MonitoringEvent:
        what = "failure rate" if kind == FAILURES else "unlikeness to the reference answers"
        details: dict[str, Any] = {
            "stream": kind,
            "onset": alarm.onset,
            "before": alarm.before,
            "after": alarm.after,
            "trials": alarm.trials,
        }
        if kind == FAILURES:
            size = max(_RATE_TRIALS, stream.sample.size)
            details["risks"] = self.comparison.risks.by_rates(
                watched.probe, (alarm.before, size), (alarm.after, max(1, alarm.trials))
            )
        else:
            saved_failures = self._state.streams.get(f"{FAILURES} {watched.id}", {})
            judged = _stream(watched, FAILURES, saved_failures).sample
            if judged.size:
                details["risks"] = self.comparison.risks.by_other_answers(
                    watched.probe,
                    (judged.mean, judged.size),
                    returned=alarm.kind == "reverted",
                )
        returned = alarm.kind == "reverted"
        said = "went back" if returned else "changed"
        return MonitoringEvent(
            self._state.next_number,
            alarm.kind,
            "info" if returned else ("high" if kind == FAILURES else "medium"),
            watched.id,
            kind,
            f"{what} {said} from {alarm.before:.3f} to {alarm.after:.3f} in {alarm.trials} trials",
            time,
            about=int(saved.get("event", 0)) if returned else 0,
            probe=watched.probe,
            run=self.run.id,
            details=details,
        )


def _stream(watched: WatchedBehaviour, kind: str, saved: dict[str, Any]) -> ScoreStream:
    """The stream as it was stored, or a new one; settings may have changed since."""
    limit = watched.limit if kind == FAILURES else None
    size = (
        watched.reference
        if kind == FAILURES
        else max(1, watched.reference - watched.reference // 2)
    )
    known = {name: value for name, value in saved.items() if not name.startswith("reference_")}
    if not known:
        return ScoreStream("failures" if kind == FAILURES else "answers", size, limit)
    stream = ScoreStream.of_plain(known)
    if stream.limit != limit:
        return ScoreStream(stream.kind, size, limit)
    return replace(stream, size=size)
