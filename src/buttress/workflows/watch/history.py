"""The history of a watch as a document, and its figures for Prometheus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

from buttress import __version__
from buttress.errors import InputError
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.workflows.watch.behaviour import alarm_threshold
from buttress.workflows.watch.notify import event_row, to_tell
from buttress.workflows.watch.settings import WatchSettings
from buttress.workflows.watch.state import WatchState

LIMITS: Final = (
    "No event means that no watched fact has changed since the last check, not that nothing has.",
    "A change of code that leaves hosts, paths, texts, powers and credentials as they are is not "
    "seen, nor is what only some visitors are shown.",
    "The bound on false alarms holds for trials that are drawn at random from the same questions, "
    "and on average over reference samples.",
    "What was blind was not watched. What was accepted was not judged safe by Buttress.",
    "Figures of risks rest on judgements where nothing is measured.",
)


def read_state(out: Path) -> WatchState:
    """The state of the watch in a folder.

    Raises:
        InputError: there is none.
    """
    path = out / FILE_NAME
    if not path.is_file():
        raise InputError(
            "no watch in it yet", file=str(out), expected="a folder in which `watch once` ran"
        )
    with EvidenceStore.open(path, read_only=True) as store, store.snapshot():
        return WatchState.read(store)


def inventory(settings: WatchSettings, state: WatchState) -> list[dict[str, Any]]:
    """What is watched, and where each of it stands."""
    still_open = state.open_events()
    rows = []
    kinds = (
        [("host", one.asset) for one in settings.hosts]
        + [("build", one.asset) for one in settings.builds]
        + [("behaviour", one.id) for one in settings.behaviour]
    )
    for kind, asset in kinds:
        blind = state.blind.get(asset)
        places = state.timelines.get(asset, {})
        rows.append(
            {
                "kind": kind,
                "asset": asset,
                "checked": state.checked.get(asset, 0.0),
                "blind": blind.why if blind else "",
                "blind_since": blind.since if blind else 0.0,
                "places": [
                    {"place": name, "facts": sum(1 for _ in timeline.seen())}
                    for name, timeline in places.items()
                ],
                "open": sorted(
                    one.number
                    for one in state.events
                    if one.asset == asset and one.number in still_open
                ),
                "streams": [
                    _stream_row(name, stream)
                    for name, stream in state.streams.items()
                    if stream and name.partition(" ")[2] == asset
                ],
            }
        )
    return rows


def _stream_row(name: str, stream: dict[str, Any]) -> dict[str, Any]:
    wealth = stream["detector"]["wealth"]
    return {
        "stream": name.partition(" ")[0],
        "phase": stream["phase"],
        "reference": sum(stream["sample"].values()),
        "outcomes": stream["detector"]["outcomes"],
        "statistic": sum(wealth) / len(wealth),
    }


def history_document(settings: WatchSettings, state: WatchState) -> dict[str, Any]:
    """The document ``buttress-watch/1``: inventory, events with the risks they moved, limits."""
    still_open = state.open_events()
    return {
        "schema": "buttress-watch/1",
        "version": __version__,
        "watch": settings.name,
        "every": settings.every,
        "false_alarms_per_year": settings.false_alarms_per_year,
        "threshold": alarm_threshold(settings) if settings.behaviour else None,
        "inventory": inventory(settings, state),
        "events": [{**event_row(one), "open": one.number in still_open} for one in state.events],
        "limits": list(LIMITS),
    }


def metrics(settings: WatchSettings, state: WatchState) -> str:
    """The figures in the text format of Prometheus."""
    still_open = state.open_events()
    lines: list[str] = []

    def family(
        name: str, kind: str, about: str, values: list[tuple[dict[str, str], float]]
    ) -> None:
        full = f"buttress_watch_{name}"
        lines.append(f"# HELP {full} {about}")
        lines.append(f"# TYPE {full} {kind}")
        for labels, value in values:
            inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"{full}{{{inner}}} {value:.17g}" if inner else f"{full} {value:.17g}")

    counts = Counter((one.kind, one.severity) for one in state.events)
    family(
        "events_total", "counter", "Events that were told.",
        [({"kind": kind, "severity": grave}, n) for (kind, grave), n in sorted(counts.items())],
    )  # fmt: skip
    by_severity = Counter(one.severity for one in state.events if one.number in still_open)
    family(
        "open_events", "gauge", "Events that nobody accepted and that did not go back.",
        [({"severity": grave}, n) for grave, n in sorted(by_severity.items())],
    )  # fmt: skip
    rows = inventory(settings, state)
    family(
        "last_check_timestamp_seconds", "gauge", "Unix time of the last check, 0 for none.",
        [({"asset": row["asset"]}, row["checked"]) for row in rows],
    )  # fmt: skip
    family(
        "blind", "gauge", "Whether not all of an asset is seen.",
        [({"asset": row["asset"]}, float(bool(row["blind"]))) for row in rows],
    )  # fmt: skip
    streams = [(row["asset"], one) for row in rows for one in row["streams"]]
    for name, kind, about in (
        ("outcomes", "gauge", "Outcomes since the reference sample or the last alarm."),
        ("statistic", "gauge", "Shiryaev-Roberts statistic; an alarm at the threshold."),
    ):
        family(
            f"stream_{name}", kind, about,
            [({"asset": asset, "stream": one["stream"]}, one[name]) for asset, one in streams],
        )  # fmt: skip
    if settings.behaviour:
        about = "Value of the statistic that raises an alarm."
        family("stream_threshold", "gauge", about, [({}, alarm_threshold(settings))])
    undelivered = {
        name: len(to_tell(settings, state, state.delivered.get(name, 0)))
        for name, told in (("webhook", settings.webhook), ("email", settings.email))
        if told is not None
    }
    family(
        "undelivered_events", "gauge", "Events that a channel was not told yet.",
        [({"channel": name}, count) for name, count in undelivered.items()],
    )  # fmt: skip
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
