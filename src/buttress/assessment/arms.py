"""Arms: a trial probe on a model asset, with its stream of trials and the engine that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from buttress.probes.base import TrialProbe, TrialSpec
from buttress.system.model import Asset
from buttress.trials.engine import TrialEngine

_LOOKED_AT: Final = 16


def arm_id(probe: str, asset: str) -> str:
    """How an arm is named in plans and in coverage."""
    return f"{probe} @ {asset}"


@dataclass(slots=True)
class Arm:
    """What the planner can spend on; ``available`` trials at most are in ``stream``.

    ``calls`` are the questions that a trial takes at most, by the first ones of the stream.
    """

    probe: TrialProbe
    asset: Asset
    engine: TrialEngine
    stream: Iterator[TrialSpec]
    available: int
    calls: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        first = list(islice(self.stream, _LOOKED_AT))
        self.calls = max((spec.calls for spec in first), default=1)
        self.stream = chain(first, self.stream)

    @property
    def id(self) -> str:
        """Unique in an assessment."""
        return arm_id(self.probe.id, self.asset.id)

    def take(self, count: int) -> list[TrialSpec]:
        """The next trials, fewer than ``count`` only at the end of the stream."""
        return list(islice(self.stream, count))
