"""Arms: a trial probe on a model asset, with its stream of trials and the engine that runs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from buttress.evidence.records import Trial
from buttress.probes.behaviour.attack_cells import Cell, CellTrials
from buttress.protocols.probe import TrialProbe, TrialSpec
from buttress.risk.cells import CellsState
from buttress.risk.verdict import RiskState
from buttress.system.model import Asset
from buttress.trials.engine import TrialEngine

_LOOKED_AT: Final = 16
State = RiskState | CellsState


def arm_id(probe: str, asset: str) -> str:
    """How an arm is named in plans and in coverage."""
    return f"{probe} @ {asset}"


@dataclass(slots=True)
class Arm:
    """What the planner can spend on; ``available`` trials at most are in ``stream``.

    ``calls`` are the questions that a trial takes at most, by the first ones of the stream;
    ``judge_calls`` those that the judge asks a model about each answer.
    """

    probe: TrialProbe
    asset: Asset
    engine: TrialEngine
    stream: Iterator[TrialSpec]
    available: int
    judge_calls: int = 0
    calls: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        first = list(islice(self.stream, _LOOKED_AT))
        self.calls = max((self.price(spec) for spec in first), default=1)
        self.stream = chain(first, self.stream)

    @property
    def id(self) -> str:
        """Unique in an assessment."""
        return arm_id(self.probe.id, self.asset.id)

    def price(self, spec: TrialSpec, trial: Trial | None = None) -> int:
        """Questions that a trial takes, or took, those to judge and attacker among them."""
        judged = 0 if spec.check is not None else self.judge_calls
        searches = spec.procedure is not None and spec.procedure.needs_attacker
        each = 2 if searches else 1  # the attacker is asked about as often as the target
        return each * (spec.calls if trial is None else trial.calls) + judged

    def take(self, count: int) -> list[TrialSpec]:
        """The next trials, fewer than ``count`` only at the end of the stream."""
        return list(islice(self.stream, count))

    def observe(self, state: State, trials: Sequence[Trial]) -> None:
        """Tell one of the states that the arm informs what came in."""
        assert isinstance(state, RiskState)
        state.update([trial.outcome for trial in trials])


@dataclass(slots=True)
class CellArm(Arm):
    """An arm whose trials are taken cell by cell, as ``state`` chooses; its stream is not used."""

    cells: Mapping[Cell, CellTrials] = field(default_factory=dict)
    state: CellsState | None = None
    streams: list[Iterator[TrialSpec]] = field(init=False)

    def __post_init__(self) -> None:
        self.streams = [cell.stream for cell in self.cells.values()]

    def take(self, count: int) -> list[TrialSpec]:
        """The next trials, fewer than ``count`` only when all cells are at their end."""
        assert self.state is not None
        taken: list[TrialSpec] = []
        while len(taken) < count and (chosen := self.state.choose(count - len(taken))):
            for cell in chosen:
                spec = next(self.streams[cell], None)
                if spec is None:
                    self.state.exhaust(cell)
                else:
                    taken.append(spec)
        return taken

    def observe(self, state: State, trials: Sequence[Trial]) -> None:
        """Tell one of the states that the arm informs what came in."""
        assert isinstance(state, CellsState)
        places = [state.place(trial.attack, trial.category) for trial in trials]
        state.update(places, [trial.outcome for trial in trials])
