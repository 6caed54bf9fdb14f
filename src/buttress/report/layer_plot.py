"""Figures by layer as lines, drawn as the other charts: stretchable, labels beside the drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from buttress.report.charts import WIDTH, Chart, Tick

_HEIGHT: Final = 200.0
_MOST_TICKS: Final = 8
_SLACK: Final = 1e-9  # of rounding
STYLES: Final = ("first", "second", "third")  # kinds of lines, told apart by dashes too


def layer_plot(
    lines: Mapping[str, Sequence[float | None]],
    *,
    low: float | None = None,
    high: float | None = None,
    level: float | None = None,
) -> Chart:
    """Lines by the name of their style, each with a figure for every layer from 0.

    Args:
        lines: style -> figures; None where a layer has none, and nothing is drawn.
        low: lower end of the axis, rounded outwards; None for the least figure.
        high: upper end, the same; None for the greatest.
        level: a figure at which a line is drawn right across, such as that of a baseline.
    """
    figures = [figure for line in lines.values() for figure in line if figure is not None]
    if level is not None:
        figures.append(level)
    ends = (
        min(figures, default=0.0) if low is None else low,
        max(figures, default=1.0) if high is None else high,
    )
    step = _step(ends[1] - ends[0] or 1.0)
    bottom = step * math.floor(ends[0] / step + _SLACK)
    top = max(bottom + step, step * math.ceil(ends[1] / step - _SLACK))
    span = top - bottom
    count = max(len(line) for line in lines.values())

    def across(layer: int) -> float:
        return layer / max(1, count - 1)

    def up(figure: float) -> float:
        return min(1.0, max(0.0, (figure - bottom) / span))

    ticks = [bottom + step * count for count in range(round(span / step) + 1)]
    parts = [_flat("grid", up(tick)) for tick in ticks]
    if level is not None:
        parts.append(_flat("level", up(level)))
    for style, line in lines.items():
        points = " ".join(
            f"{across(layer) * WIDTH:.1f},{(1 - up(figure)) * _HEIGHT:.1f}"
            for layer, figure in enumerate(line)
            if figure is not None
        )
        parts.append(f'<polyline class="{style}" points="{points}"/>')
    svg = Markup(
        f'<svg class="layers" viewBox="0 0 {WIDTH} {_HEIGHT:g}" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )
    every = max(1, -(-(count - 1) // _MOST_TICKS))
    layers = [Tick(across(layer) * 100, str(layer)) for layer in range(0, count, every)]
    return Chart(svg, layers, [Tick(up(tick) * 100, _figure(tick, step)) for tick in ticks])


def _flat(style: str, share: float) -> str:
    y = (1 - share) * _HEIGHT
    return f'<line class="{style}" x1="0" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>'


def _step(span: float) -> float:
    """A round number of which ``span`` holds three to seven."""
    power: float = 10.0 ** math.floor(math.log10(span / 3))
    return max(power * factor for factor in (1, 2, 2.5, 5) if power * factor <= span / 3)


def _figure(value: float, step: float) -> str:
    """With the digits that a step has."""
    digits = max(0, -math.floor(math.log10(step) + _SLACK))
    if not math.isclose(step * 10**digits, round(step * 10**digits), abs_tol=_SLACK):
        digits += 1  # 2.5, 0.25
    return f"{value + 0.0:.{digits}f}" if abs(value) > _SLACK * step else f"{0:.{digits}f}"
