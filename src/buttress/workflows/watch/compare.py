"""Compares what a check saw with the references, and keeps the outcome: all of an asset or none."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from buttress.drift.causes import (
    explained_by_page,
    explains_page,
    is_sent_plain,
    told_alike,
)
from buttress.drift.changes import FactChange, PlaceChange
from buttress.drift.kinds import probe_of
from buttress.drift.observed import PlaceView
from buttress.drift.timeline import Timeline
from buttress.evidence.base import RecordStore
from buttress.evidence.findings import Severity
from buttress.evidence.records import MonitoringEvent, Record, WatchCheckpoint
from buttress.workflows.watch.observe import CLOSED, HOST, OPEN, AssetView
from buttress.workflows.watch.risk import RiskMovement
from buttress.workflows.watch.state import CHECKED, Blindness, WatchState
from buttress.workflows.watch.told import event_of

_OF_FACTS: Final = ("changed", "reverted", "flapping")
_FIRST_PAGE: Final = "page /"
_GATES: Final = ("port", "status")  # facts without which a place shows no others
_InPlace = tuple[str, Timeline, PlaceChange]


@dataclass(slots=True)
class WatchComparison:
    """Compares one round's views. ``told`` are the events so far."""

    store: RecordStore
    state: WatchState
    risks: RiskMovement
    run: str
    told: list[MonitoringEvent] = field(default_factory=list)

    def take(self, view: AssetView, time: float) -> list[MonitoringEvent]:
        """Compare an asset with its references and store what comes of it, whole.

        Raises:
            InputError: the evidence can't be written.
        """
        view = self._closed(view)
        before, blind = self.state.barriers(), self.state.blind.get(view.asset)
        events = [] if view.problem else self._changes(view, time)
        events += self._sight(view, time, self.state.next_number + len(events))
        self.state.events += events
        after = self.state.barriers()
        with_risks = [
            self._with_risks(one, before, after) if one.kind in _OF_FACTS else one for one in events
        ]
        if events:
            self.state.events[-len(events) :] = with_risks
        records: list[Record] = [*with_risks]
        records += self.state.facts_checkpoint(view.asset, time, self.run)
        if self.state.blind.get(view.asset) is not blind:
            records.append(self.state.blind_checkpoint(view.asset, time, self.run))
        self.state.checked[view.asset] = time
        records.append(WatchCheckpoint(CHECKED, {view.asset: time}, time, self.run))
        self.store.append(records)
        self.told += with_risks
        return with_risks

    def _with_risks(
        self, event: MonitoringEvent, before: Mapping[str, Severity], after: Mapping[str, Severity]
    ) -> MonitoringEvent:
        facts = [str(one["fact"]) for one in event.details["changes"]]
        others = {probe_of(name) for name in facts} - {event.probe}
        moved = self.risks.by_findings(event.probe, before, after)
        for probe in sorted(one for one in others if before.get(one) != after.get(one)):
            moved += self.risks.by_findings(probe, before, after)
        return replace(event, details={**event.details, "risks": moved})

    def tell(self, event: MonitoringEvent, checkpoints: Sequence[WatchCheckpoint] = ()) -> None:
        """Store an event that is about no facts."""
        self.state.events.append(event)
        self.store.append([event, *checkpoints])
        self.told.append(event)

    def _changes(self, view: AssetView, time: float) -> list[MonitoringEvent]:
        """Events of an asset; the same change in several places, as of a header, is one.

        What each place had before may differ.
        """
        same: dict[Hashable, list[_InPlace]] = {}
        for place in view.places:
            if not place.problem:
                timeline = self.state.timeline(view.asset, place.place)
                for change in compare_place(timeline, place):
                    mine = place.place, timeline, change
                    same.setdefault(told_alike(change), []).append(mine)
        events: list[MonitoringEvent] = []
        for told in _with_pages(list(same.values())):
            number = self.state.next_number + len(events)
            places = ", ".join(dict.fromkeys(name for name, _, _ in told))
            change = told[0][2]
            facts = list(dict.fromkeys(fact for _, _, one in told for fact in one.facts))
            whole = PlaceChange(change.kind, facts, change.of)
            events.append(
                event_of(whole, number, asset=view.asset, place=places, time=time, run=self.run)
            )
            if change.kind == "changed":
                for _, timeline, one in told:
                    timeline.number(one, number)
        return events

    def _sight(self, view: AssetView, time: float, number: int) -> list[MonitoringEvent]:
        """An event where an asset is no longer seen, or is seen again."""
        why, known = view.blind, self.state.blind.get(view.asset)
        if why and known is None:
            self.state.blind[view.asset] = Blindness(time, number, why)
            place = "" if view.problem else next(one.place for one in view.places if one.problem)
            message = f"nothing is seen: {why}" if view.problem else f"not all is seen: {why}"
            return [
                MonitoringEvent(
                    number, "blind", "medium", view.asset, place, message, time, run=self.run
                )
            ]
        if not why and known is not None:
            del self.state.blind[view.asset]
            return [
                MonitoringEvent(
                    number, "seen-again", "info", view.asset, "", "it is seen again", time,
                    about=known.event, run=self.run,
                )
            ]  # fmt: skip
        return []

    def _closed(self, view: AssetView) -> AssetView:
        """A port that answered and does not answer says nothing of what it would show."""
        for one in view.places:
            if one.place == HOST and one.samples:
                known = self.state.timeline(view.asset, HOST)
                port = known.histories.get("port")
                closed = one.samples[-1]["port"] == CLOSED
                if closed and port is not None and CLOSED in port.reference:
                    return view  # as it was at first, when it showed nothing else
                if closed and known.value("port") == OPEN:
                    return AssetView(view.asset, problem="no answer at a port that was open")
                if known.value("scheme") and "scheme" not in one.samples[-1]:
                    return AssetView(view.asset, problem="no answer over HTTP, as there was")
        return view


def _with_pages(told: list[list[_InPlace]]) -> list[list[_InPlace]]:
    """What is told as one event each: pages that answer otherwise since a product came or went with
    the product, what is sent without TLS with the page that sends it now.
    """
    for host in [one for one in told if one[0][0] == HOST and one[0][2].kind == "changed"]:
        pages = [
            one
            for one in told
            if one is not host and one[0][0] != HOST and one[0][2].kind == "changed"
            and explains_page(host[0][2], one[0][2])
        ]  # fmt: skip
        for one in pages:
            host.extend(one)
            told = [other for other in told if other is not one]
    for page in [one for one in told if _FIRST_PAGE in {place for place, _, _ in one}]:
        hosts = [
            one
            for one in told
            if one[0][0] == HOST and page[0][2].kind == one[0][2].kind == "changed"
            and explained_by_page(one[0][2], page[0][2])
        ]  # fmt: skip
        for one in hosts:
            page.extend(one)
            told = [other for other in told if other is not one]
    for one in told:
        one.sort(key=lambda mine: is_sent_plain(mine[2]))  # what it follows from is told first
    return told


def compare_place(timeline: Timeline, view: PlaceView) -> list[PlaceChange]:
    """What changed in a place. The first view of a place is its reference.

    A place that opens (a port that was closed, a page that was not there) is told as one change
    with all that it shows, and what it shows is its reference from then on.
    """
    if not timeline.known:
        timeline.begin(view.samples)
        return []
    gate = next((name for name in _GATES if name in view.samples[-1]), "")
    opens = bool(gate) and _shows_nothing_yet(timeline) and view.only is None
    if opens and timeline.value(gate) not in (None, view.samples[-1][gate]):
        changes = timeline.compare(view.samples, frozenset(timeline.histories))
        timeline.adopt(view.samples)
        for change in changes:
            told = {one.name for one in change.facts}
            change.facts += [
                FactChange(name, None, value)
                for name, value in sorted(view.samples[-1].items())
                if name not in told
            ]
        return changes
    return timeline.compare(view.samples, view.only)


def _shows_nothing_yet(timeline: Timeline) -> bool:
    """Whether only how it answers is known: that a port is closed, that a page is not there."""
    return all(name.partition(" ")[0] in (*_GATES, "redirect") for name in timeline.histories)
