"""The planner: gives the next batch to the arm whose result is worth most per unit of cost.

Value of information (Raiffa & Schlaifer 1961, preposterior analysis): the worth of k more trials
of an arm is the weight of its undecided risk times the probability that they decide it. The best k
for each arm is sought over a geometric grid; the arm with the highest worth per cost gets a part
of its k, and after that everything is weighed anew. Choosing by what was seen so far is safe,
because the confidence sequences hold under any such choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from buttress.risk.verdict import Array, Verdict

_SIZES: Final = np.unique(np.geomspace(4, 20_000, 28).astype(int))
_MOST_AT_ONCE: Final = 2  # batches as large as the target's granularity
_LEAST_CHANCE: Final = 0.002
_FEWEST: Final = 4
_EXCESS: Final = 0.1  # trials in flight where one of them may decide, of those that came back


class ObservedOutcomes(Protocol):
    """Outcomes so far."""

    @property
    def trials(self) -> int:
        """Their number."""
        ...


class Plannable(Protocol):
    """What trials so far say about a risk, as the planner needs it."""

    @property
    def verdict(self) -> Verdict:
        """Whether it is decided."""
        ...

    @property
    def sequence(self) -> ObservedOutcomes:
        """What has been seen."""
        ...

    def chance_of_decision(self, more: npt.ArrayLike, rng: np.random.Generator) -> Array:
        """Probability of a verdict after so many more trials, shape (k,) as ``more``."""
        ...


@dataclass(slots=True)
class PlannedArm:
    """An arm as the planner sees it.

    Args:
        id: unique.
        state: its risk's state on its asset.
        weight: what it is worth to decide the risk, e.g. by severity.
        remaining: trials left in its stream.
        granularity: trials that the target answers about as fast as one.
        cost: of a trial, in any unit common to all arms; updated by ``observe``.
        calls_each: questions that a trial takes at most.
    """

    id: str
    state: Plannable
    weight: float
    remaining: int
    granularity: int = 8
    cost: float = 1.0
    spent: float = 0.0
    trials: int = 0
    asked: int = 0  # trials handed out, those in flight included
    observed: int = 0  # trials that have come back, with an outcome or without
    calls_each: int = 1

    @property
    def in_flight(self) -> int:
        """Trials handed out that have not come back."""
        return max(0, self.asked - self.observed)

    @property
    def open(self) -> bool:
        """Whether trials of this arm can still change something."""
        return self.remaining > 0 and self.state.verdict == "undecided"


@dataclass(frozen=True, slots=True)
class Batch:
    """Trials to run next."""

    arm: str
    size: int


class Planner:
    """Chooses batches until all is decided, the streams are at their end, or the budget is spent.

    Args:
        arms: all arms.
        calls: questions that may still be asked; None for no limit.
        seed: of the predictive simulations.
        pilot: questions of each arm before any comparison, at least ``_FEWEST`` trials.
    """

    def __init__(
        self, arms: list[PlannedArm], *, calls: int | None, seed: int = 0, pilot: int = 8
    ) -> None:
        self.arms = {arm.id: arm for arm in arms}
        self.calls = calls
        self.pilot = pilot
        self.stop_reason = ""
        self._rng = np.random.default_rng(seed)
        self._known: dict[str, tuple[int, Array]] = {}

    def next_batch(self) -> Batch | None:
        """What to run next, or None; then ``stop_reason`` says why."""
        if self.calls is not None and self.calls <= 0:
            self.stop_reason = "the budget of calls is spent"
            return None
        if all(arm.state.verdict != "undecided" for arm in self.arms.values()):
            self.stop_reason = "every risk that was tested is decided"
            return None
        live = [arm for arm in self.arms.values() if arm.open]
        if not live:
            self.stop_reason = "no prompts are left for what is undecided"
            return None
        if self.calls is not None:
            live = [arm for arm in live if arm.calls_each <= self.calls]
            if not live:
                self.stop_reason = "the budget of calls is too small for another trial"
                return None
        for arm in live:
            pilot = max(_FEWEST, self.pilot // arm.calls_each)
            if arm.asked < pilot:
                return self._batch(arm, pilot - arm.asked)
        weighed = [self._worth(arm) for arm in live]
        if all(worth <= 0 for worth, _, _ in weighed):
            return self._hopeless(live)
        # An arm whose trials in flight may decide it waits for them.
        ready = [each for each in weighed if each[0] > 0 and each[2] > 0]
        if not ready:
            return None
        _, arm, size = max(ready, key=lambda each: each[0])
        return self._batch(arm, size)

    def observe(
        self, arm: str, trials: int, cost: float, calls: int, asked: int | None = None
    ) -> None:
        """A batch gave so many trials, cost so much, took so many calls; its state has them.

        ``asked`` trials were asked, where some have no outcome.
        """
        chosen = self.arms[arm]
        chosen.trials += trials
        chosen.observed += trials if asked is None else asked
        chosen.spent += cost
        if chosen.trials and chosen.spent > 0:
            chosen.cost = chosen.spent / chosen.trials
        if self.calls is not None:
            self.calls -= calls

    def exhaust(self, arm: str) -> None:
        """Nothing more can be asked of the arm."""
        self.arms[arm].remaining = 0

    def taken(self, batch: Batch, count: int, *, left: int) -> None:
        """So many trials of the batch were handed out; the arm has ``left`` more."""
        arm = self.arms[batch.arm]
        arm.asked += count - batch.size
        arm.remaining = left

    def _worth(self, arm: PlannedArm) -> tuple[float, PlannedArm, int]:
        most = min(arm.remaining, self._affordable(arm))
        sizes = np.unique(np.minimum(_SIZES, most))
        chances = np.interp(sizes, _SIZES, self._chances(arm))
        worth = arm.weight * chances / (sizes * max(arm.cost, 1e-9))
        worth[chances < _LEAST_CHANCE] = 0.0
        best = int(np.argmax(worth))
        # What can't decide anything yet is asked at once, at no loss; near a decision only a small
        # part of what was asked so far, so that few answers come after it. No more than what takes
        # the target a few moments, so that a budget of time is kept.
        idle = int(sizes[chances < _LEAST_CHANCE].max(initial=0))
        step = max(_FEWEST // arm.calls_each, int(_EXCESS * arm.observed), 1)
        size = min(max(idle, step) - arm.in_flight, _MOST_AT_ONCE * arm.granularity)
        return float(worth[best]), arm, size

    def _chances(self, arm: PlannedArm) -> Array:
        """Probability of a verdict after each of ``_SIZES``; reckoned anew only with new trials."""
        trials = arm.state.sequence.trials
        known = self._known.get(arm.id)
        if known is None or known[0] != trials:
            known = trials, arm.state.chance_of_decision(_SIZES, self._rng)
            self._known[arm.id] = known
        return known[1]

    def _hopeless(self, live: list[PlannedArm]) -> Batch | None:
        """Nothing is likely to be decided: go on evenly, because intervals still get narrower."""
        arm = min(live, key=lambda each: each.asked)
        return self._batch(arm, arm.granularity)

    def _affordable(self, arm: PlannedArm) -> int:
        return arm.remaining if self.calls is None else self.calls // arm.calls_each

    def _batch(self, arm: PlannedArm, size: int) -> Batch:
        size = min(size, arm.remaining, self._affordable(arm))
        arm.remaining -= size
        arm.asked += size
        return Batch(arm.id, max(1, size))
