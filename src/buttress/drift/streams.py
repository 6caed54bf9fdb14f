"""A stream of scores of a model's answers: a reference sample first, then bets on what follows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from buttress.statistics.change_detection import (
    BETS,
    WEIGHTS,
    ChangeDetector,
    head_start,
    increments,
)
from buttress.statistics.exchangeability import (
    TAIL_BETS,
    ScoreSample,
    rate_increments,
    tail_increments,
)

Phase = Literal["reference", "watching", "changed"]
StreamKind = Literal["failures", "answers"]
_RETURN: Final = 50  # scores after a change that a return is compared with
_CHECKS: Final = 500  # whose times are kept


@dataclass(frozen=True, slots=True)
class StreamAlarm:
    """A change, or the return from one: ``kind`` says which.

    ``onset`` is the time of the check in which it probably began. ``before`` and ``after`` are mean
    scores of the reference and since the onset, over ``trials`` of them.
    """

    kind: Literal["drift", "reverted"]
    onset: float
    before: float
    after: float
    trials: int


@dataclass(slots=True)
class ScoreStream:
    """Scores in [0, 1] of one kind, as they come.

    ``size`` is that of the reference sample; ``limit`` a mean that is known not to be exceeded, in
    place of a sample. ``checks`` are pairs of the number of the first score of a check since the
    reference, and its time. ``since`` are the scores since the onset of a change.
    """

    kind: StreamKind
    size: int
    limit: float | None = None
    phase: Phase = "reference"
    sample: ScoreSample = field(default_factory=ScoreSample)
    detector: ChangeDetector = field(default_factory=ChangeDetector)
    checks: list[tuple[int, float]] = field(default_factory=list)
    recent: list[int] = field(default_factory=list)
    since: ScoreSample = field(default_factory=ScoreSample)
    event: int = 0

    def __post_init__(self) -> None:
        if self.limit is not None and self.phase == "reference":
            self.phase = "watching"
        if not (self.detector.outcomes or any(self.detector.wealth)):
            self.detector = self._new_detector()

    def _new_detector(self, start: float = 0.0) -> ChangeDetector:
        """A detector whose statistic begins at ``start``."""
        if self.kind == "failures":
            return ChangeDetector(len(BETS), weights=list(WEIGHTS), wealth=[start] * len(BETS))
        return ChangeDetector(len(TAIL_BETS), wealth=[start] * len(TAIL_BETS))

    def take(
        self, scores: Sequence[tuple[str, float]], time: float, threshold: float
    ) -> StreamAlarm | None:
        """Take the scores of one check; the alarm that they raise, if any.

        Args:
            scores: pairs of the content address of a trial, from which ties are drawn, and a score.
            time: of the check, Unix seconds.
            threshold: value of the statistic that raises an alarm.
        """
        self.checks = [*self.checks, (self.detector.outcomes, time)][-_CHECKS:]
        alarm = None
        for address, score in scores:
            if self.phase == "reference":
                self.sample.add(score)
                if self.sample.size >= self.size:
                    self.phase = "watching"
                    self.detector = self._new_detector(head_start(self.sample.size, threshold))
                continue
            value = self._bet(score, _uniform(f"{address} {self.detector.outcomes}"), threshold)
            if value >= threshold and alarm is None:
                alarm = self._alarm(time)
        return alarm

    def _bet(self, score: float, tie: float, threshold: float) -> float:
        if self.phase == "changed":
            return self._bet_on_return(score, tie, threshold)
        self.recent.append(round(score * 1000))
        if self.limit is not None:
            self.sample.add(score)
            made = increments(score, self.limit).tolist()
        else:
            made = self._ranked(self.sample, score, tie)
        value = self.detector.update(made)
        self._forget()
        return value

    def _ranked(self, sample: ScoreSample, score: float, tie: float) -> list[float]:
        """The bets' increments on a score that is compared with a sample, which it joins."""
        rate = sample.mean
        rank = sample.rank(score, tie)
        return (
            rate_increments(rank, rate, BETS) if self.kind == "failures" else tail_increments(rank)
        )

    def _bet_on_return(self, score: float, tie: float, threshold: float) -> float:
        """Bets that scores are lower than they were since the change."""
        opposite = 1.0 - score
        if self.since.size < _RETURN:
            self.since.add(opposite)
            if self.since.size == _RETURN:
                self.detector = self._new_detector(head_start(_RETURN, threshold))
            return 0.0
        return self.detector.update(self._ranked(self.since, opposite, tie))

    def _forget(self) -> None:
        """Keep the scores since the earliest start that any bet still has."""
        earliest = min(self.detector.start)
        surplus = len(self.recent) - (self.detector.outcomes - earliest)
        if surplus > 0:
            del self.recent[:surplus]

    def _alarm(self, time: float) -> StreamAlarm:
        onset = self.detector.onset
        began = max((at for first, at in self.checks if first <= onset), default=time)
        if self.phase == "changed":
            before = 1.0 - self.since.mean
            alarm = StreamAlarm("reverted", began, before, self.sample.mean, self.detector.outcomes)
            self.phase, self.event = "watching", 0
        else:
            count = min(len(self.recent), max(1, self.detector.outcomes - onset))
            last = self.recent[-count:]
            before = self.limit if self.limit is not None else self._mean_without(last)
            alarm = StreamAlarm("drift", began, before, sum(last) / len(last) / 1000, count)
            self.phase = "changed"
        self.recent, self.since = [], ScoreSample()
        self.detector, self.checks = self._new_detector(), [(0, time)]
        return alarm

    def _mean_without(self, last: Sequence[int]) -> float:
        """Mean of the sample without the scores since the onset, which leave it again."""
        for value in last:
            self.sample.remove(value / 1000)
        return self.sample.mean

    def accept(self) -> None:
        """Begin anew: what comes next is the reference."""
        self.phase, self.event = ("reference" if self.limit is None else "watching"), 0
        self.sample, self.since, self.recent = ScoreSample(), ScoreSample(), []
        self.detector, self.checks = self._new_detector(), []

    def plain(self) -> dict[str, Any]:
        """The state as JSON can hold it."""
        return {
            "kind": self.kind, "size": self.size, "limit": self.limit, "phase": self.phase,
            "sample": self.sample.plain(), "detector": self.detector.plain(),
            "checks": [list(one) for one in self.checks], "recent": list(self.recent),
            "since": self.since.plain(), "event": self.event,
        }  # fmt: skip

    @classmethod
    def of_plain(cls, state: Mapping[str, Any]) -> ScoreStream:
        """What ``plain`` gave."""
        made: dict[str, Callable[[Any], Any]] = {
            "sample": ScoreSample.of_plain,
            "since": ScoreSample.of_plain,
            "detector": ChangeDetector.of_plain,
            "checks": lambda pairs: [(first, at) for first, at in pairs],
        }
        return cls(**{name: made.get(name, _same)(value) for name, value in state.items()})


def _same(value: Any) -> Any:
    return value


def _uniform(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56
