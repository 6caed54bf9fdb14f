"""The page of a watch's history: whole, escaped, and in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from buttress.report.watch_page import render
from tests.report.pages import problems, read

BAD = "<script>alert(1)</script>\u202e'\""
KINDS = ("changed", "reverted", "flapping", "blind", "seen-again", "missed", "drift", "accepted")


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    return {
        "number": number, "kind": kind, "severity": "high", "asset": BAD, "place": BAD,
        "message": BAD, "time": 1.8e9, "about": 1 if number > 1 else 0, "probe": "client",
        "open": number % 2 == 0, "details": details,
    }  # fmt: skip


def document() -> dict[str, Any]:
    risk = {
        "risk": "leak", "title": BAD, "barrier": BAD, "state_before": "a", "state_after": "b",
        "loss_before": 10.0, "loss_after": 2e6, "unit": "EUR",
    }  # fmt: skip
    change = {"fact": f"script {BAD}", "before": None, "after": BAD}
    gone = {"fact": f"script {BAD}", "before": BAD, "after": None}
    events = [
        event(number, kind, changes=[change], risks=[risk]) for number, kind in enumerate(KINDS, 1)
    ]
    events.append(event(9, "changed", changes=[gone]))
    events.append(event(10, "changed", changes=[gone, *[change] * 20]))
    drift = {"onset": 1.8e9, "before": 0.05, "after": 0.2, "trials": 90}
    events.append(event(11, "drift", stream="failures", **drift))
    events += [event(number, "missed", missed=2) for number in range(12, 330)]
    stream = {"stream": "failures", "phase": "watching", "reference": 5, "outcomes": 2,
              "statistic": 1.0}  # fmt: skip
    return {
        "schema": "buttress-watch/1", "version": "0", "watch": BAD, "every": 3600.0,
        "false_alarms_per_year": 1.0, "threshold": 5.0, "events": events, "limits": [BAD],
        "inventory": [
            {"kind": "host", "asset": BAD, "checked": 1.8e9, "blind": BAD, "blind_since": 1.8e9,
             "places": [{"place": BAD, "facts": 3}], "open": [2, 4], "streams": [stream]},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_whole_and_escaped(language: str) -> None:
    html = render(document(), language)
    page = read(html)
    assert problems(page) == []
    assert "<script>alert" not in html
    assert "\u202e" not in html
    shown = [at["id"] for tag, at in page.elements if tag == "article"]
    older = [number for number in range(1, 30) if number % 2 == 0]  # that are open
    assert len(shown) == 300 + len(older)
    assert {f"event-{number}" for number in older} <= set(shown)
    assert ("older events" in html) == (language == "en")


def test_an_empty_history() -> None:
    empty = {**document(), "events": [], "inventory": []}
    assert "Nothing has changed" in render(empty)
    assert "没有变化" in render(empty, "zh")
