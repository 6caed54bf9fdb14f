"""Makes changes that were told the new reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from buttress.errors import InputError
from buttress.evidence.records import MonitoringEvent, Record, WatchCheckpoint
from buttress.workflows.watch.risk import RiskMovement
from buttress.workflows.watch.round import opened
from buttress.workflows.watch.settings import WatchSettings
from buttress.workflows.watch.state import STREAM, WatchState


def accept(
    settings: WatchSettings,
    out: Path,
    numbers: Sequence[int] | None,
    *,
    by: str = "",
    clock: Callable[[], float] = time.time,
) -> list[MonitoringEvent]:
    """Accept events: what they told is the reference from now on.

    An outage that is accepted is no blindness any more; the references of before hold when the
    host is seen again. A drift that is accepted begins a new reference sample.

    Args:
        settings: of the watch.
        out: folder of the watch.
        numbers: of the events; None for all that are open.
        by: who accepts, for the record.
        clock: Unix seconds.

    Returns:
        An event of kind ``accepted`` for each.

    Raises:
        InputError: no such event, or it is not open; or the evidence can't be used.
    """
    with opened(out) as store:
        state = WatchState.read(store)
        known = {one.number: one for one in state.events}
        still_open = state.open_events()
        for number in numbers or ():
            if number not in known:
                raise InputError(f"no event {number}", field="EVENT", expected=_range(known))
            if number not in still_open:
                raise InputError(
                    f"event {number} is not open: it was accepted, went back or tells no change",
                    field="EVENT",
                    expected="one of " + ", ".join(map(str, sorted(still_open)))
                    if still_open
                    else "an open event; there is none",
                )
        chosen = sorted(still_open if numbers is None else set(numbers))
        if not chosen:
            return []
        now = clock()
        before = state.barriers()
        records: list[Record] = []
        for asset in sorted(state.accept(chosen)):
            records += state.facts_checkpoint(asset, now, "")
        for asset, blind in list(state.blind.items()):
            if blind.event in chosen:
                state.blind[asset] = replace(blind, accepted=True)
                records.append(state.blind_checkpoint(asset, now, ""))
        for name, stream in list(state.streams.items()):
            if stream.get("event") in chosen:
                state.streams[name] = {}
                records.append(WatchCheckpoint(f"{STREAM} {name}", {}, now))
        after = state.barriers()
        risks = RiskMovement(settings.system)
        told = []
        for place, number in enumerate(chosen):
            one = known[number]
            details = {"by": by} if by else {}
            moved = {} if one.kind in ("blind", "drift") else {
                "risks": risks.by_findings(one.probe, before, after)
            }  # fmt: skip
            told.append(
                MonitoringEvent(
                    state.next_number + place, "accepted", "info", one.asset, one.place,
                    f"event {number} is accepted: {one.message}", now, about=number,
                    probe=one.probe, details={**details, **moved},
                )
            )  # fmt: skip
        store.append([*told, *records])
    return told


def _range(known: dict[int, MonitoringEvent]) -> str:
    return f"a number from 1 to {max(known)}" if known else "an event; there is none yet"
