"""Arms: a trial probe on a model asset, with its stream of trials and the engine that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from buttress.probes.base import TrialProbe, TrialSpec
from buttress.system.model import Asset
from buttress.trials.engine import TrialEngine


@dataclass(slots=True)
class Arm:
    """What the planner can spend on. ``done`` are items that an earlier run already tried."""

    probe: TrialProbe
    asset: Asset
    engine: TrialEngine
    stream: Iterator[TrialSpec]
    available: int
    done: set[str] = field(default_factory=set)

    @property
    def id(self) -> str:
        """Unique in an assessment."""
        return f"{self.probe.id}@{self.asset.id}"

    def take(self, count: int) -> list[TrialSpec]:
        """The next trials, fewer than ``count`` only at the end of the stream."""
        fresh = (spec for spec in self.stream if spec.item not in self.done)
        return list(islice(fresh, count))
