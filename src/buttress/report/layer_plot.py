"""Figures by layer as lines, drawn as the other charts: stretchable, labels beside the drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from buttress.report.charts import WIDTH, Chart, Tick

_HEIGHT: Final = 200.0
_MOST_TICKS: Final = 8
_FEWEST_GAPS: Final = 3
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
        low: lower end of the axis; None for the least figure.
        high: upper end; None for the greatest.
        level: a figure at which a line is drawn right across, such as that of a baseline.
    """
    figures = [figure for line in lines.values() for figure in line if figure is not None]
    if level is not None:
        figures.append(level)
    bottom = min(figures, default=0.0) if low is None else low
    top = max(figures, default=1.0) if high is None else high
    span = top - bottom or 1.0
    count = max(len(line) for line in lines.values())

    def across(layer: int) -> float:
        return layer / max(1, count - 1)

    def up(figure: float) -> float:
        return min(1.0, max(0.0, (figure - bottom) / span))

    ticks = [bottom + span * step / 4 for step in range(5)]
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
    step = max(1, -(-(count - 1) // _MOST_TICKS))
    layers = [Tick(across(layer) * 100, str(layer)) for layer in range(0, count, step)]
    return Chart(svg, layers, [Tick(up(tick) * 100, _figure(tick, span)) for tick in ticks])


def _flat(style: str, share: float) -> str:
    y = (1 - share) * _HEIGHT
    return f'<line class="{style}" x1="0" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>'


def _figure(value: float, span: float) -> str:
    digits = 0 if span >= 20 else 1 if span >= _FEWEST_GAPS else 2
    return f"{value:.{digits}f}"
