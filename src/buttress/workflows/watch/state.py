"""Where a watch stands, as the evidence tells it: references, changes, streams, what was told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from buttress.drift.kinds import kind_of, probe_of, severity_of
from buttress.drift.timeline import Timeline
from buttress.evidence.base import RecordStore
from buttress.evidence.findings import SEVERITIES, Severity
from buttress.evidence.records import MonitoringEvent, WatchCheckpoint

FACTS: Final = "facts"
BLIND: Final = "blind"
CHECKED: Final = "checked"
STREAM: Final = "stream"
DELIVERY: Final = "delivery"


@dataclass(slots=True)
class Blindness:
    """Since when an asset is not seen, and the number of the event that told it."""

    since: float
    event: int
    why: str = ""
    accepted: bool = False


@dataclass
class WatchState:
    """The state; ``events`` are all that were told, in order, ``checked`` the last check of each
    asset, ``streams`` those of answers, ``delivered`` the last event told by each channel.
    """

    timelines: dict[str, dict[str, Timeline]] = field(default_factory=dict)
    blind: dict[str, Blindness] = field(default_factory=dict)
    checked: dict[str, float] = field(default_factory=dict)
    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    delivered: dict[str, int] = field(default_factory=dict)
    events: list[MonitoringEvent] = field(default_factory=list)

    @classmethod
    def read(cls, store: RecordStore) -> WatchState:
        """The state that checkpoints and events in the store add up to."""
        state = cls(events=list(store.events()))
        for one in store.checkpoints():
            kind, _, name = one.subject.partition(" ")
            if kind == FACTS:
                for place, delta in one.state.items():
                    state.timeline(name, place).load(delta)
            elif kind == BLIND:
                state._set_blind(name, one.state)
            elif kind == CHECKED:
                state.checked |= one.state
            elif kind == STREAM:
                state.streams[name] = one.state
            elif kind == DELIVERY:
                state.delivered[name] = one.state["through"]
        return state

    def _set_blind(self, asset: str, state: Mapping[str, Any]) -> None:
        if state:
            self.blind[asset] = Blindness(**state)
        else:
            self.blind.pop(asset, None)

    def timeline(self, asset: str, place: str) -> Timeline:
        """The timeline of a place, a new one where nothing is known of it."""
        return self.timelines.setdefault(asset, {}).setdefault(place, Timeline())

    def differs(self, asset: str, place: str, facts: Mapping[str, str]) -> bool:
        """Whether facts differ from the reference of a place, or it has none."""
        timeline = self.timeline(asset, place)
        return not timeline.known or timeline.differs(facts)

    def status(self, asset: str, place: str) -> int:
        """The HTTP status that a place had last, 0 for unknown."""
        return int(self.timeline(asset, place).value("status") or 0)

    def present(self, asset: str, place: str) -> Mapping[str, str]:
        """The facts that a place had last."""
        timeline = self.timeline(asset, place)
        return {name: timeline.value(name) or "" for name in timeline.seen()}

    @property
    def next_number(self) -> int:
        """Number of the next event."""
        return self.events[-1].number + 1 if self.events else 1

    def facts_checkpoint(self, asset: str, time: float, run: str) -> list[WatchCheckpoint]:
        """What changed of an asset's facts since the last one; none where nothing did."""
        delta = {
            place: changed
            for place, timeline in self.timelines.get(asset, {}).items()
            if (changed := timeline.delta())
        }
        return [WatchCheckpoint(f"{FACTS} {asset}", delta, time, run)] if delta else []

    def blind_checkpoint(self, asset: str, time: float, run: str) -> WatchCheckpoint:
        """Whether an asset is seen."""
        known = self.blind.get(asset)
        return WatchCheckpoint(f"{BLIND} {asset}", asdict(known) if known else {}, time, run)

    def open_events(self) -> set[int]:
        """Numbers of events that nobody accepted, and that did not go back."""
        facts = {
            number
            for places in self.timelines.values()
            for timeline in places.values()
            for number in timeline.open_events()
        }
        streams = {one["event"] for one in self.streams.values() if one.get("event")}
        return facts | streams | {one.event for one in self.blind.values() if not one.accepted}

    def barriers(self) -> dict[str, Severity]:
        """By probe: the gravest of what is found now and of changes that nobody accepted."""
        worst: dict[str, Severity] = {}
        told = {one.number for one in self.events}

        def note(probe: str, severity: Severity) -> None:
            known = worst.get(probe)
            if known is None or SEVERITIES.index(severity) > SEVERITIES.index(known):
                worst[probe] = severity

        for places in self.timelines.values():
            for timeline in places.values():
                for name, history in timeline.histories.items():
                    if kind_of(name) == "finding" and history.value in SEVERITIES:
                        note(probe_of(name), history.value)
                for name, history in timeline.open_facts():
                    if history.event in told:
                        note(probe_of(name), severity_of(name, history.value))
        return worst

    def accept(self, numbers: Collection[int] | None) -> set[str]:
        """Make what events told the reference, all of it where None.

        Returns:
            The assets and streams for which that changed anything.
        """
        changed = set()
        for asset, places in self.timelines.items():
            for timeline in places.values():
                if timeline.accept(numbers):
                    changed.add(asset)
        return changed
