"""One round of a watch: everything is looked at once, and what changed is told and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES
from buttress.evidence.records import MonitoringEvent, Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.workflows.assessment.runs import Run
from buttress.workflows.runs import begin_run
from buttress.workflows.watch.behaviour import BehaviourCheck
from buttress.workflows.watch.compare import WatchComparison
from buttress.workflows.watch.notify import deliver
from buttress.workflows.watch.observe import look_at_builds, look_at_hosts
from buttress.workflows.watch.risk import RiskMovement
from buttress.workflows.watch.settings import WatchedBehaviour, WatchSettings
from buttress.workflows.watch.state import WatchState

NOTHING_NEW: Final = 0
CHANGED: Final = 1
BLIND: Final = 3
_PATIENCE: Final = 30.0  # seconds that another process may hold the evidence
_LATE: Final = 1.5  # intervals without a check, beside the jitter, from which one was missed
_LIBRARIES: Final = ("aiohttp", "httptools", "numpy", "cryptography")


@dataclass(slots=True)
class RoundResult:
    """What a round told. ``begun`` are assets whose reference was taken, ``blind`` those of which
    not all was seen, each with why; ``problems`` are messages that could not be delivered.
    """

    events: list[MonitoringEvent] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    blind: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def code(self, fail_on: str) -> int:
        """1 where an event is as grave as ``fail_on``, 3 where not all was seen, else 0."""
        if fail_on in SEVERITIES:
            least = SEVERITIES.index(fail_on)
            for one in self.events:
                if one.kind != "blind" and SEVERITIES.index(one.severity) >= least:
                    return CHANGED
        return BLIND if self.blind else NOTHING_NEW


@contextmanager
def opened(out: Path, patience: float = _PATIENCE) -> Iterator[EvidenceStore]:
    """The evidence of a watch, as soon as no other process writes to it.

    Raises:
        InputError: it can't be used, or is not free in time.
    """
    until = time.monotonic() + patience
    while True:
        try:
            store = EvidenceStore.open(out / FILE_NAME)
            break
        except InputError as error:
            if "is writing to it" not in error.problem or time.monotonic() >= until:
                raise
            time.sleep(0.2)
    with store:
        yield store


def check_once(
    settings: WatchSettings,
    out: Path,
    *,
    clock: Callable[[], float] = time.time,
    ask_model: Callable[[WatchedBehaviour], Sequence[Trial]] | None = None,
) -> RoundResult:
    """Look at everything once, tell what changed, and keep it in the evidence in ``out``.

    Args:
        settings: what to look at.
        out: folder of the watch.
        clock: Unix seconds.
        ask_model: asks a watched model, in place of its target.

    Raises:
        InputError: the evidence can't be used, or a probe can't ask a model.
    """
    result = RoundResult()
    with opened(out) as store:
        state = WatchState.read(store)
        _check_builds(settings, state)
        before = {name: dict(places) for name, places in state.timelines.items()}
        record = begin_run(
            store, system=settings.name, seed=len(state.checked) + _rounds(state), policy="watch",
            digests={}, details={"file": settings.file.name}, libraries=_LIBRARIES,
        )  # fmt: skip
        comparison = WatchComparison(store, state, RiskMovement(settings.system), record.run)
        last = state.next_number - 1
        _tell_missed(settings, comparison, clock())
        views = look_at_hosts(settings, settings.hosts, state)
        for view in views:
            comparison.take(view, clock())
        for view in look_at_builds(settings.builds):
            comparison.take(view, clock())
        run = Run(record.run, record.seed, record.started, False, {}, dict(record.versions))
        models = BehaviourCheck(settings, store, comparison, run, ask_model)
        for watched in settings.behaviour:
            models.check(watched, clock())
        result.events = comparison.told
        result.checked = [one for one in settings.assets if one in state.checked]
        result.begun = [one for one in state.timelines if one not in before]
        result.blind = {
            name: known.why
            for name, known in state.blind.items()
            if not known.accepted and name in settings.assets
        }
        result.problems = deliver(settings, store, state, last, clock())
    return result


def _check_builds(settings: WatchSettings, state: WatchState) -> None:
    """A build that was never there is a mistake in the settings; one that is gone is blindness."""
    for number, build in enumerate(settings.builds):
        if build.asset not in state.checked and not build.path.exists():
            raise InputError(
                f"no such file or folder: {build.asset}", file=str(settings.file),
                field=f"builds[{number}]", expected="a path",
            )  # fmt: skip


def _rounds(state: WatchState) -> int:
    """A number that no round before this one had, so that each asks questions of its own."""
    return int(max(state.checked.values(), default=0.0))


def _tell_missed(settings: WatchSettings, comparison: WatchComparison, now: float) -> None:
    """One event where checks did not take place, however many they were."""
    known = [time for name, time in comparison.state.checked.items() if name in settings.assets]
    if not known:
        return
    since = max(known)
    missed = round((now - since) / settings.every) - 1
    if missed < 1 or now - since < settings.every * (_LATE + settings.jitter):
        return
    what = "1 check was" if missed == 1 else f"{missed} checks were"
    comparison.tell(
        MonitoringEvent(
            comparison.state.next_number, "missed", "medium", settings.name, "schedule",
            f"{what} missed", now, run=comparison.run, details={"missed": missed, "since": since},
        )
    )  # fmt: skip
