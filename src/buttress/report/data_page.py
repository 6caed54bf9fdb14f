"""The page of a run over training data: one HTML file without script or network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from buttress.files.visible import visible
from buttress.report import numbers
from buttress.report.language import load
from buttress.report.page_templates import page_environment, template_text

_SOURCES: Final = 40  # that are shown, those that lost most first
_WIDE, _HIGH = 1000.0, 100.0  # of the drawing of one stage, in its own units


def render(document: Mapping[str, Any], language: str = "en") -> str:
    """The page; all text of the document is escaped.

    Raises:
        InputError: there is no such language.
    """
    readable = document["records"]["in"] - document["records"]["unreadable"]
    sources = sorted(
        document["sources"], key=lambda one: (one["kept"] - one["records"], one["source"])
    )
    words = load(language)
    return (
        _environment()
        .get_template("data.html")
        .render(
            document=document,
            language=words,
            say=words.say,
            plural=words.plural,
            style=template_text("report.css") + template_text("data.css"),
            flow=_flow(document["stages"], readable),
            kept_drawing=_drawing([_rectangle("rest", document["records"]["kept"], readable)]),
            total=max(1, document["records"]["in"]),
            sources=sources[:_SOURCES],
            more_sources=len(sources) - len(sources[:_SOURCES]),
        )
    )


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.filters.update(percent=numbers.percent, shown=visible, count=numbers.count)
    return environment


def _flow(stages: list[dict[str, Any]], readable: int) -> list[dict[str, Any]]:
    """A Sankey diagram, one drawing a stage: the stream goes down, a branch leaves to the right."""
    rows, left = [], readable
    for stage in stages:
        after = left - stage["removed"]
        shapes = [_rectangle("stream", after, readable)]
        if stage["removed"]:
            shapes.append(_branch(after, left, readable))
        rows.append(
            {
                "name": stage["name"],
                "seen": stage["seen"],
                "removed": stage["removed"],
                "drawing": _drawing(shapes),
            }
        )
        left = after
    return rows


def _drawing(shapes: list[str]) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(shapes)
        + "</svg>"
    )


def _rectangle(name: str, count: int, whole: int) -> str:
    width = _WIDE * count / max(1, whole)
    return f'<rect class="{name}" x="0" y="0" width="{width:.1f}" height="{_HIGH:.0f}"/>'


def _branch(after: int, before: int, whole: int) -> str:
    """What leaves: as wide above as its share of the stream, then to the right edge."""
    left, right = _WIDE * after / whole, _WIDE * before / whole
    thick = min(0.55 * _HIGH, max(4.0, (right - left) / 4))  # at the right edge
    low, high = _HIGH - 8 - thick, _HIGH - 8
    bend = left + min(60.0, _WIDE - left)
    return (
        f'<path class="leaving" d="M{left:.1f},0 L{max(right, left + 2):.1f},0 '
        f"C{max(right, left + 2):.1f},{low / 2:.1f} {max(bend, right):.1f},{low:.1f} "
        f"{_WIDE:.0f},{low:.1f} L{_WIDE:.0f},{high:.1f} "
        f'C{bend:.1f},{high:.1f} {left:.1f},{high:.1f} {left:.1f},0 Z"/>'
    )
