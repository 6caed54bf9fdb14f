"""Turns what changed into events: one sentence, how grave, and what was before and after."""

from __future__ import annotations

from typing import Any

from buttress.drift.changes import FactChange, PlaceChange
from buttress.drift.kinds import probe_of, severity_of
from buttress.evidence.findings import SEVERITIES, Severity
from buttress.evidence.records import MonitoringEvent
from buttress.files.visible import shortened

_WORDS = {"reverted": "went back", "flapping": "goes to and fro"}


def event_of(
    change: PlaceChange, number: int, *, asset: str, place: str, time: float, run: str
) -> MonitoringEvent:
    """The event that tells a change of facts."""
    grave: Severity = "info"
    if change.kind != "reverted":
        grave = max(
            (severity_of(one.name, one.after) for one in change.facts), key=SEVERITIES.index
        )
    first = change.facts[0]
    more = len({one.name for one in change.facts}) - 1
    come = next((one for one in change.facts if one.before is None), None)
    if change.kind != "changed":
        said = f"{first.name} {_WORDS[change.kind]}"
    elif first.after is None and come is not None:
        said = f"{first.name} gave way to {come.name}{_value(come)}"
        more -= 1
    else:
        said = _said(first)
    others = f", and {more} more" if more else ""
    return MonitoringEvent(
        number,
        change.kind,
        grave,
        asset,
        place,
        f"{place}: {shortened(said)}{others}",
        time,
        about=change.of,
        probe=probe_of(first.name),
        run=run,
        details={"changes": [_row(one) for one in change.facts]},
    )


def _value(one: FactChange) -> str:
    return f": {one.after}" if one.after else ""


def _said(one: FactChange) -> str:
    if one.before is None:
        return f"{one.name} is new{_value(one)}"
    if one.after is None:
        return f"{one.name} is gone"
    return f"{one.name} was {one.before or 'empty'} and is {one.after or 'empty'}"


def _row(one: FactChange) -> dict[str, Any]:
    return {"fact": one.name, "before": one.before, "after": one.after}
