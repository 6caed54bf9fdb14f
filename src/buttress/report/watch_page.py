"""The page of a watch's history: one HTML file without script or network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from jinja2 import Environment

from buttress.files.visible import shortened, visible
from buttress.report import numbers
from buttress.report.language import Language, load
from buttress.report.page_templates import page_environment, template_text

_SHOWN: Final = 300  # events, the last ones, and as many older ones that are open
_CHANGES: Final = 12  # of an event
_GRAVE: Final = ("critical", "high", "medium", "low", "info")


def render(document: Mapping[str, Any], language: str = "en") -> str:
    """The page; all text of the document is escaped.

    Raises:
        InputError: there is no such language.
    """
    spoken = load(language)
    events = list(reversed(document["events"]))
    still_open = [one for one in events if one["open"]]
    shown = [*events[:_SHOWN], *[one for one in events[_SHOWN:] if one["open"]][:_SHOWN]]
    return (
        _environment(language)
        .get_template("watch.html")
        .render(
            document=document,
            language=spoken,
            style=template_text("report.css") + template_text("watch.css"),
            open_by_severity=[
                (grave, count)
                for grave in _GRAVE
                if (count := sum(one["severity"] == grave for one in still_open))
            ],
            open_count=len(still_open),
            blind=[one for one in document["inventory"] if one["blind"]],
            checked=max((one["checked"] for one in document["inventory"]), default=0.0),
            events=[_event(spoken, one) for one in shown],
            numbers={one["number"] for one in shown},
            more=len(events) - len(shown),
        )
    )


@cache
def _environment(code: str) -> Environment:
    language = load(code)
    environment = page_environment()
    environment.filters.update(shown=visible, count=numbers.count, moment=_moment)
    environment.globals.update(
        say=language.say, plural=language.plural, text=language.text,
        money=language.money, duration=language.duration,
    )  # fmt: skip
    return environment


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M UTC}" if seconds else "–"


def _event(language: Language, one: Mapping[str, Any]) -> dict[str, Any]:
    changes = one["details"].get("changes", [])
    return {
        **one,
        "title": _title(language, one),
        "changes": changes[:_CHANGES],
        "more_changes": max(0, len(changes) - _CHANGES),
        "risks": [
            risk for risk in one["details"].get("risks", ())
            if risk["loss_before"] != risk["loss_after"]
        ],
        "onset": one["details"].get("onset", 0.0),
    }  # fmt: skip


def _title(language: Language, one: Mapping[str, Any]) -> str:
    """What happened, in one sentence."""
    say = language.say
    details, about = one["details"], one["about"]
    changes = details.get("changes", [])
    fact = shortened(changes[0]["fact"]) if changes else ""
    match one["kind"]:
        case "changed" if changes and changes[0]["before"] is None:
            return say("{fact} is new", fact=fact)
        case "changed" if changes and changes[0]["after"] is None:
            come = next((one["fact"] for one in changes if one["before"] is None), "")
            if come:
                return say("{fact} gave way to {other}", fact=fact, other=shortened(come))
            return say("{fact} is gone", fact=fact)
        case "changed":
            return say("{fact} has changed", fact=fact)
        case "reverted":
            return say("{what} went back (event {number})", what=fact or one["place"], number=about)
        case "flapping":
            return say("{fact} goes to and fro (event {number})", fact=fact, number=about)
        case "blind":
            return say("Not all is seen")
        case "seen-again":
            return say("All is seen again (event {number})", number=about)
        case "missed":
            return say("{number} checks were missed", number=details.get("missed", 1))
        case "drift" if details.get("stream") == "failures":
            return say(
                "The failure rate changed from {before} to {after}",
                before=numbers.percent(details["before"]), after=numbers.percent(details["after"]),
            )  # fmt: skip
        case "drift":
            return say("The answers differ from the reference")
        case "accepted":
            return say("Event {number} is accepted", number=about)
    return str(one["message"])
