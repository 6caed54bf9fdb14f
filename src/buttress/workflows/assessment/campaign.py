"""Runs trials as the planner decides, until it has seen enough.

Several batches are in flight, of different arms, so that the target isn't idle while the
stragglers of one come in. Which batch is next depends only on batches that are complete, in the
order in which they were begun, and a trial's cost is reckoned from the lengths of prompt and
answer, not from the clock: so the same seed and the same answers give the same assessment, and a
resumed run takes the same way up to where it was cut off.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from buttress.errors import ButtressError
from buttress.evidence.records import Trial
from buttress.protocols.probe import TrialSpec
from buttress.risk.planner import Batch, Planner
from buttress.trials.attacker_health import AttackerGoneError
from buttress.trials.health import TargetDiedError
from buttress.workflows.assessment.arms import Arm

IN_FLIGHT: Final = 2
_OVERHEAD: Final = 32.0  # characters' worth of work that a call costs whatever its length
_PROMPT_SHARE: Final = 0.125  # reading a character costs about an eighth of writing one


Observe = Callable[[Arm, Sequence[TrialSpec], Sequence[Trial]], None]


def trial_cost(trial: Trial) -> float:
    """Work of a trial in characters written, about the same for every target."""
    each = _OVERHEAD + len(trial.answer) + _PROMPT_SHARE * len(trial.prompt)
    return trial.calls * each


@dataclass(slots=True)
class _Flight:
    """A batch in flight, with what has come of it."""

    batch: Batch
    specs: Sequence[TrialSpec]
    trials: dict[int, Trial] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None

    def lose(self, index: int, why: str) -> None:
        self.lost[index] = why


class Campaign:
    """One pass of the planner over all arms.

    Args:
        arms: by id.
        planner: over the same ids; its ``calls`` are charged here.
        observe: gets the arm, what was asked, and the trials that have an outcome, of each batch.
        stopped: why nothing more may be asked; "" while more may be.
        began: Unix seconds; trials known from before cost nothing, unless they are of this run.
    """

    def __init__(
        self,
        arms: Mapping[str, Arm],
        planner: Planner,
        *,
        observe: Observe,
        stopped: Callable[[], str],
        began: float,
    ) -> None:
        self._arms = arms
        self._planner = planner
        self._observe = observe
        self._stopped = stopped
        self._began = began
        most = max((arm.granularity for arm in planner.arms.values()), default=1)
        self._busy = IN_FLIGHT * most
        self._dead: dict[int, str] = {}  # engines whose target died, by identity
        self.without_attacker: dict[str, str] = {}  # arms that ended early, and why
        self._answered: set[str] = set()  # arms of which a question was answered
        self._cut: dict[str, list[_Flight]] = {}  # batches of the others, when the budget ended
        self.stop_reason = ""

    @property
    def deaths(self) -> list[str]:
        """What targets said when they stopped to answer."""
        return list(dict.fromkeys(self._dead.values()))

    async def run(self) -> None:
        """Run batches until the planner, the allowance or the last target's death says stop.

        Raises:
            ButtressError: judge or store failed.
        """
        flying: deque[_Flight] = deque()
        try:
            while True:
                while self._room(flying) and (flight := self._next()) is not None:
                    flying.append(flight)
                if not flying:
                    break
                flight = flying.popleft()
                assert flight.task is not None
                try:
                    await flight.task
                except TargetDiedError as error:
                    self._bury(flight.batch.arm, str(error))
                except AttackerGoneError as error:
                    self.without_attacker[flight.batch.arm] = str(error)
                    self._planner.exhaust(flight.batch.arm)
                except ButtressError:
                    flying.appendleft(flight)
                    raise
                self._account(flight)
        except ButtressError:
            await _cancel(flying)
            for flight in flying:
                self._account(flight)  # what was answered and judged counts
            raise
        finally:
            await _cancel(flying)
        if self.deaths and not self._stopped():
            self.stop_reason = "; ".join(self.deaths)
        elif self.without_attacker and not self._stopped():
            self.stop_reason = next(iter(self.without_attacker.values()))

    def _room(self, flying: Collection[_Flight]) -> bool:
        """Whether another batch can be begun: some, and enough to keep the targets busy."""
        trials = sum(len(flight.specs) for flight in flying)
        return len(flying) < IN_FLIGHT or trials < self._busy

    def _next(self) -> _Flight | None:
        """Begin the next batch; None where there is none for now."""
        while True:
            if stopped := self._stopped():
                self.stop_reason = stopped
                return None
            batch = self._planner.next_batch()
            if batch is None:
                self.stop_reason = self._planner.stop_reason
                return None
            arm = self._arms[batch.arm]
            specs = arm.take(batch.size)
            self._planner.taken(batch, len(specs), left=arm.available if specs else 0)
            if not specs:
                continue
            self._reserve(sum(map(arm.price, specs)))
            flight = _Flight(batch, specs)
            flight.task = asyncio.create_task(
                arm.engine.stream(specs, flight.trials.update, flight.lose)
            )
            return flight

    def _bury(self, arm: str, message: str) -> None:
        """The target of an arm has died: nothing more is asked of it."""
        engine = self._arms[arm].engine
        self._dead.setdefault(id(engine), message)
        for name, other in self._arms.items():
            if other.engine is engine:
                self._planner.exhaust(name)

    def _reserve(self, calls: int) -> None:
        if self._planner.calls is not None:
            self._planner.calls -= calls

    def _account(self, flight: _Flight) -> None:
        name, arm = flight.batch.arm, self._arms[flight.batch.arm]
        trials = [flight.trials[index] for index in sorted(flight.trials)]
        reserved = sum(map(arm.price, flight.specs))
        # An answer that was known from an earlier run is free. One that this very run had asked
        # for before it was cut off was paid for by it.
        free = {i for i, t in flight.trials.items() if t.cached and t.time >= self._began}
        known = flight.trials.keys() | flight.lost.keys()
        ended = name in self.without_attacker  # then the others were hardly begun
        asked = sum(
            arm.price(spec, flight.trials.get(index))
            for index, spec in enumerate(flight.specs)
            if index not in free and (index in known or not ended)
        )
        work = sum(map(trial_cost, trials))
        self._show(flight, trials)
        self._planner.observe(
            name, len(trials), work, min(asked, reserved) - reserved, len(flight.specs)
        )

    def _show(self, flight: _Flight, trials: Sequence[Trial]) -> None:
        """Hand over which questions of a batch have an outcome, and which were begun in vain.

        Where the budget ended before any question of an arm was answered, the arm was not
        tested. Its questions say nothing of the system.
        """
        name = flight.batch.arm
        if trials:
            self._answered.add(name)
            for earlier in self._cut.pop(name, ()):
                self._show(earlier, ())
        elif name not in self._answered and set(flight.lost.values()) == {self._stopped()}:
            self._cut.setdefault(name, []).append(flight)
            return
        known = flight.trials.keys() | flight.lost.keys()
        self._observe(self._arms[name], [flight.specs[index] for index in sorted(known)], trials)


async def _cancel(flying: Iterable[_Flight]) -> None:
    tasks = [flight.task for flight in flying if flight.task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
