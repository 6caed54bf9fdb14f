"""Runs trials as the planner decides, until it has seen enough.

Up to two batches are in flight, so that the target isn't idle while the stragglers of one batch
come in. Which batch is next depends only on batches that are complete, and a trial's cost is
reckoned from the lengths of prompt and answer, not from the clock: so the same seed and the same
answers give the same assessment, and a resumed run takes the same way up to where it was cut off.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.evidence.records import Trial
from buttress.protocols.probe import TrialSpec
from buttress.risk.planner import Batch, Planner
from buttress.workflows.assessment.arms import Arm

IN_FLIGHT: Final = 2
_OVERHEAD: Final = 32.0  # characters' worth of work that a call costs whatever its length
_PROMPT_SHARE: Final = 0.125  # reading a character costs about an eighth of writing one


@dataclass(frozen=True, slots=True)
class Limits:
    """What a campaign may spend besides the planner's calls; None for no limit."""

    seconds: float | None = None
    cost: float | None = None


def trial_cost(trial: Trial) -> float:
    """Work of a trial in characters written, about the same for every target."""
    each = _OVERHEAD + len(trial.answer) + _PROMPT_SHARE * len(trial.prompt)
    return trial.calls * each


class Campaign:
    """One pass of the planner over all arms.

    Args:
        arms: by id.
        planner: over the same ids; its ``calls`` are charged here.
        limits: time and money.
        cost: what was spent so far.
    """

    def __init__(
        self,
        arms: Mapping[str, Arm],
        planner: Planner,
        limits: Limits,
        *,
        cost: Callable[[], float],
    ) -> None:
        self._arms = arms
        self._planner = planner
        self._limits = limits
        self._cost = cost
        self._began = time.time()
        self.stop_reason = ""

    async def run(self) -> None:
        """Run batches until the planner or a limit says stop.

        Raises:
            ButtressError: a target doesn't answer at all, or judge or store failed.
        """
        flying: deque[tuple[Batch, list[TrialSpec], asyncio.Task[list[Trial]]]] = deque()
        try:
            while True:
                while len(flying) < IN_FLIGHT and (batch := self._next()) is not None:
                    arm = self._arms[batch.arm]
                    specs = arm.take(batch.size)
                    self._planner.taken(batch, len(specs), left=arm.available if specs else 0)
                    if not specs:
                        continue
                    self._reserve(sum(spec.calls for spec in specs))
                    task = asyncio.create_task(self._arms[batch.arm].engine.run(specs))
                    flying.append((batch, specs, task))
                if not flying:
                    return
                batch, specs, task = flying.popleft()
                self._account(batch.arm, specs, await task)
        finally:
            for _, _, task in flying:
                task.cancel()
            await asyncio.gather(*(task for _, _, task in flying), return_exceptions=True)

    def _next(self) -> Batch | None:
        limits = self._limits
        if limits.seconds is not None and time.time() - self._began >= limits.seconds:
            self.stop_reason = "the budget of time is spent"
            return None
        if limits.cost is not None and self._cost() >= limits.cost:
            self.stop_reason = "the budget of money is spent"
            return None
        batch = self._planner.next_batch()
        self.stop_reason = self._planner.stop_reason if batch is None else ""
        return batch

    def _reserve(self, calls: int) -> None:
        if self._planner.calls is not None:
            self._planner.calls -= calls

    def _account(self, arm: str, specs: Sequence[TrialSpec], trials: Sequence[Trial]) -> None:
        reserved = sum(spec.calls for spec in specs)
        # An answer that was known from an earlier run is free. One that this very run had asked
        # for before it was cut off was paid for by it.
        paid = [trial for trial in trials if not (trial.cached and trial.time >= self._began)]
        failed = (len(specs) - len(trials)) * self._arms[arm].calls
        asked = min(reserved, sum(trial.calls for trial in paid) + failed)
        work = sum(map(trial_cost, trials))
        self._arms[arm].observe(specs, trials)
        self._planner.observe(arm, len(trials), work, asked - reserved)
