"""Arms: a trial probe on a model asset, with its stream of trials and the engine that runs them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from typing import Final

from buttress.evidence.records import Trial
from buttress.probes.behaviour.attack_cells import Cell, CellTrials
from buttress.protocols.probe import TrialProbe, TrialSpec
from buttress.risk.cells import CellsState
from buttress.risk.verdict import RiskState
from buttress.statistics.design import DesignEffect
from buttress.statistics.finite import Draw
from buttress.system.model import Asset
from buttress.trials.engine import TrialEngine

_LOOKED_AT: Final = 16
_MANY_PROMPTS: Final = 60  # in a cell, from which on each is asked in one variant only
State = RiskState | CellsState


def arm_id(probe: str, asset: str) -> str:
    """How an arm is named in plans and in coverage."""
    return f"{probe} @ {asset}"


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of one trial, or of the trials of one prompt together.

    Args:
        first: the first of its trials.
        low, high: the mean of their outcomes, where questions without an answer and answers that
            the judge abstains on count as 0 and as 1.
        certain: the same mean as ``low``, where failures that the judge is not certain of count as
            0 too; those that no judge had to see stay.
    """

    first: TrialSpec
    low: float
    high: float
    certain: float


def observations(
    specs: Sequence[TrialSpec],
    trials: Sequence[Trial],
    *,
    by_prompt: bool,
    certain_score: float = 0.0,
) -> list[Observation]:
    """What came of the trials that were asked, in the order of ``specs``.

    Args:
        specs: all that were asked.
        trials: those that have an answer.
        by_prompt: take the trials of one prompt, which follow each other, together.
        certain_score: score from which on the judge is certain of a failure.
    """
    answered: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        answered.setdefault((trial.item, trial.attack), []).append(trial)
    seen: list[tuple[TrialSpec, float, float, float]] = []
    for spec in specs:
        mine = answered.get((spec.item, spec.attack))
        answer = mine.pop(0) if mine else None
        low, high = (0.0, 1.0) if answer is None else (answer.least, answer.most)
        held_open = (
            answer is not None
            and spec.check is None
            and not answer.refused_by
            and answer.score < certain_score
        )
        seen.append((spec, low, high, 0.0 if held_open else low))
    if not by_prompt:
        return [Observation(*each) for each in seen]
    found = []
    for _, group in groupby(seen, key=lambda each: each[0].prompt_id):
        rows = list(group)
        low = sum(row[1] for row in rows) / len(rows)
        high = sum(row[2] for row in rows) / len(rows)
        certain = sum(row[3] for row in rows) / len(rows)
        found.append(Observation(rows[0][0], low, high, certain))
    return found


@dataclass(slots=True)
class Arm:
    """What the planner can spend on; ``available`` trials at most are in ``stream``.

    ``by_prompt`` says that all trials of a prompt follow each other in the stream, and that
    verdicts rest on prompts: how many trials of one are asked is decided when it is begun, and the
    others are then left out. ``prompts`` are those left, about; ``calls`` are the questions that a
    trial takes at most, by the first ones of the stream; ``even`` says whether all trials count
    alike; ``size`` is how many trials the stream has at its beginning; ``certain_score`` is the
    score from which on the judge is certain of a failure; ``judge_calls`` are the questions that
    the judge asks a model about each answer.
    """

    probe: TrialProbe
    asset: Asset
    engine: TrialEngine
    stream: Iterator[TrialSpec]
    available: int
    by_prompt: bool = False
    judge_calls: int = 0
    certain_score: float = 0.0
    states: list[State] = field(default_factory=list)
    design: DesignEffect = field(default_factory=DesignEffect)
    size: int = field(init=False, default=0)
    calls: int = field(init=False, default=1)
    prompts: int = field(init=False, default=0)
    even: bool = field(init=False, default=True)
    _next: list[TrialSpec] = field(init=False, default_factory=list)
    _begun: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.size = self.available
        first = list(islice(self.stream, _LOOKED_AT))
        self.calls = max((self.price(spec) for spec in first), default=1)
        self.stream = chain(first, self.stream)
        whole = [len(list(group)) for _, group in groupby(first, key=lambda spec: spec.prompt_id)]
        if len(whole) > 1 and len(first) == _LOOKED_AT:
            whole.pop()  # perhaps only its beginning
        self.prompts = -(-self.available * len(whole) // max(1, sum(whole)))
        self.even = all(
            spec.draw is None or math.isclose(spec.draw.share * self.available, 1.0)
            for spec in first
        )

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
        """The next trials; none only at the end of the stream."""
        if not self.by_prompt:
            taken = list(islice(self.stream, count))
            self.available -= len(taken)
            return taken
        each = None if self._all_variants() else 1
        taken = []
        while len(taken) < count and (trials := self._prompt()):
            wanted = trials[:each]
            if taken and len(taken) + len(wanted) > count:
                self._next = trials + self._next
                self._begun.discard(trials[0].prompt_id)
                break
            # What a budget cuts off is not asked later: how many trials a prompt has must not
            # depend on what they show.
            taken += wanted[:count]
            self.available -= len(trials)
            self.prompts = max(0, self.prompts - 1)
        return taken

    def _all_variants(self) -> bool:
        """Whether a state that is open asks for it."""
        each = self.available / max(1, self.prompts)
        open_states = [
            state
            for state in self.states
            if isinstance(state, RiskState) and state.verdict == "undecided"
        ]
        return each > 1 and any(state.all_variants(self.prompts, each) for state in open_states)

    def _prompt(self) -> list[TrialSpec]:
        """All trials of the next prompt; of one that was begun before, none comes again."""
        while True:
            trials: list[TrialSpec] = []
            while spec := self._pull():
                if trials and spec.prompt_id != trials[0].prompt_id:
                    self._next.insert(0, spec)
                    break
                trials.append(spec)
            if not trials:
                return []
            if trials[0].prompt_id not in self._begun:
                self._begun.add(trials[0].prompt_id)
                return trials
            self.available -= len(trials)

    def _pull(self) -> TrialSpec | None:
        return self._next.pop(0) if self._next else next(self.stream, None)

    def observe(self, specs: Sequence[TrialSpec], trials: Sequence[Trial]) -> None:
        """Tell the states that the arm informs what came in.

        Args:
            specs: all that were asked, as ``take`` gave them.
            trials: those that have an answer.
        """
        self.design.update((trial.prompt_id, trial.outcome) for trial in trials)
        seen = observations(
            specs, trials, by_prompt=self.by_prompt, certain_score=self.certain_score
        )
        lows, highs = [one.low for one in seen], [one.high for one in seen]
        certain = [one.certain for one in seen]
        draws = None if self.by_prompt else _draws(seen)
        for state in self.states:
            assert isinstance(state, RiskState)
            state.update(lows, highs, draws, certain)


def _draws(seen: Sequence[Observation]) -> list[Draw] | None:
    """How the trials were drawn; None where a probe does not say."""
    draws = [one.first.draw for one in seen if one.first.draw is not None]
    return draws if len(draws) == len(seen) else None


@dataclass(slots=True)
class CellArm(Arm):
    """An arm whose trials are taken cell by cell, as ``chooser`` says; its stream is not used.

    Prompt by prompt, a cell that has few of them gives all trials of each, another the first.
    """

    cells: Mapping[Cell, CellTrials] = field(default_factory=dict)
    chooser: CellsState | None = None
    streams: list[Iterator[list[TrialSpec]]] = field(init=False)
    _largest: int = field(init=False, default=1)  # trials of one pull so far
    _held: list[list[TrialSpec]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.streams = [self._cell(cell) for cell in self.cells.values()]

    def _cell(self, cell: CellTrials) -> Iterator[list[TrialSpec]]:
        if not self.by_prompt:
            return ([spec] for spec in cell.stream)
        each = 1 if cell.prompts >= _MANY_PROMPTS else cell.size
        groups = groupby(cell.stream, key=lambda spec: spec.prompt_id)
        return (list(islice(group, each)) for _, group in groups)

    def take(self, count: int) -> list[TrialSpec]:
        """The next trials; none only when all cells are at their end."""
        assert self.chooser is not None
        taken: list[TrialSpec] = []
        while self._held and len(taken) < count:
            taken += self._held.pop(0)[: count - len(taken)]
        while len(taken) < count:
            pulls = max(1, (count - len(taken)) // self._largest)
            if not (chosen := self.chooser.choose(pulls)):
                break
            for cell in chosen:
                trials = next(self.streams[cell], None)
                if trials is None:
                    self.chooser.exhaust(cell)
                    continue
                self.available -= len(trials)
                self._largest = max(self._largest, len(trials))
                if room := count - len(taken):  # so many as fit, whatever they will show
                    taken += trials[:room]
                else:
                    self._held.append(trials)
        return taken

    def observe(self, specs: Sequence[TrialSpec], trials: Sequence[Trial]) -> None:
        """Tell the states that the arm informs what came in."""
        self.design.update((trial.prompt_id, trial.outcome) for trial in trials)
        ordered = sorted(specs, key=lambda spec: (spec.attack, spec.category))
        seen = observations(
            ordered, trials, by_prompt=self.by_prompt, certain_score=self.certain_score
        )
        for state in self.states:
            assert isinstance(state, CellsState)
            places = [state.place(one.first.attack, one.first.category) for one in seen]
            lows, highs = [one.low for one in seen], [one.high for one in seen]
            state.update(places, lows, highs, [one.certain for one in seen])
