"""The page of a run over training data: one HTML file without script or network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from buttress.files.visible import visible
from buttress.report.numbers import percent


def render(document: Mapping[str, Any]) -> str:
    """The page; all text of the document is escaped."""
    return (
        _environment()
        .get_template("data.html")
        .render(document=document, flow=_flow(document), total=max(1, document["records"]["in"]))
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("buttress.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, shown=visible, count=lambda value: f"{value:,}")
    return environment


def _flow(document: Mapping[str, Any]) -> Markup:
    """A Sankey diagram: the stream of records, from which each stage takes a branch downwards."""
    readable = document["records"]["in"] - document["records"]["unreadable"]
    stages = document["stages"]
    if not readable or not stages:
        return Markup("")
    step, height = 1000 / (len(stages) + 1), 120.0
    left, shapes = readable, []
    for number, stage in enumerate(stages):
        x = (number + 0.5) * step
        thick = height * left / readable
        shapes.append(
            f'<rect class="stream" x="{x - step / 2:.1f}" y="10" width="{step:.1f}" '
            f'height="{thick:.1f}"/>'
        )
        gone = height * stage["removed"] / readable
        if gone:
            bottom = 10 + thick
            end = x + step / 2
            shapes.append(
                f'<path class="gone" d="M{end - step / 3:.1f},{bottom - gone:.1f} '
                f"C{end:.1f},{bottom - gone:.1f} {end:.1f},{bottom:.1f} {end:.1f},190 "
                f"L{end - max(gone, 1):.1f},190 "
                f"C{end - max(gone, 1):.1f},{bottom + 4:.1f} {end - step / 3:.1f},{bottom:.1f} "
                f'{end - step / 3:.1f},{bottom:.1f} Z"/>'
            )
        left -= stage["removed"]
    shapes.append(
        f'<rect class="kept" x="{1000 - step:.1f}" y="10" width="{step:.1f}" '
        f'height="{height * left / readable:.1f}"/>'
    )
    return Markup(
        '<svg viewBox="0 0 1000 200" role="img" aria-label="Records through the stages">'
        + "".join(shapes)
        + "</svg>"
    )
