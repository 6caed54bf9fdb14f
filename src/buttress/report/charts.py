"""Small SVG charts, drawn here so that a report needs no script and no network.

The drawings hold no text: they stretch to any width, and their labels are HTML at ``Tick``
positions, so that type keeps its size on a narrow screen. All numbers in the markup are made here;
no text of the document enters it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from buttress.report.language import ENGLISH, Language
from buttress.report.numbers import percent

WIDTH: Final = 1000
_HATCH: Final = 16  # between the strokes of a hatched bar
_TOPS: Final = (0.04, 0.1, 0.2, 0.4, 1.0)  # ends of the axis of probabilities
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at ``at`` percent of an axis' length."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, with the labels of its axes."""

    svg: Markup
    across: Sequence[Tick]
    up: Sequence[Tick] = ()


def rate_position(rate: float) -> float:
    """Position of a rate in [0, 1]: a square-root scale gives small rates room, and keeps 0."""
    return math.sqrt(min(1.0, max(0.0, rate)))


def rate_ticks() -> list[Tick]:
    """Labels of the common scale of rates."""
    return [
        Tick(rate_position(rate) * 100, percent(rate))
        for rate in (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)
    ]


def interval(
    rate: Mapping[str, float], limit: float | None, kind: str, *, estimated: bool = True
) -> Markup:
    """One interval on the common scale; what lies beyond ``limit`` is shaded.

    ``kind`` is a class for the colour: a verdict, ``prior`` for a range that nobody measured, or
    ``plain``. Without ``estimated`` there is no dot: nothing but the bounds is known.
    """
    low, high, estimate = (
        rate_position(rate[name]) * WIDTH for name in ("low", "high", "estimate")
    )
    parts = []
    if limit is not None:
        x = rate_position(limit) * WIDTH
        parts.append(
            f'<rect class="beyond" x="{x:.1f}" y="0" width="{WIDTH - x:.1f}" height="24"/>'
        )
    parts += [_line("grid", tick.at * 10, 0, tick.at * 10, 24) for tick in rate_ticks()]
    if limit is not None:
        parts.append(_line("limit", x, 0, x, 24))
    parts.append(_line("range", low, 12, max(high, low + 1), 12))
    if estimated:
        parts.append(_dot("estimate", estimate, 12))
    return _svg(f"interval {kind}", 24, parts)


def path(points: Sequence[Sequence[float]], limit: float | None, kind: str) -> Chart | None:
    """The interval as trials came in, rates upwards on the common scale; None without points."""
    if not points:
        return None
    height = 220.0
    last = max(1.0, points[-1][0])

    def at(trials: float, rate: float) -> Point:
        return trials / last * WIDTH, (1 - rate_position(rate)) * height

    # Before the first trial nothing is known: the interval starts as the whole of [0, 1].
    lows = [at(0, 0), *(at(point[0], point[1]) for point in points)]
    highs = [at(0, 1), *(at(point[0], point[2]) for point in points)]
    middles = [at(point[0], point[3]) for point in points]
    parts = []
    if limit is not None:
        y = (1 - rate_position(limit)) * height
        parts.append(f'<rect class="beyond" x="0" y="0" width="{WIDTH}" height="{y:.1f}"/>')
    parts += [
        _line("grid", 0, height * (1 - tick.at / 100), WIDTH, height * (1 - tick.at / 100))
        for tick in rate_ticks()
    ]
    parts.append(f'<polygon class="band" points="{_points([*highs, *reversed(lows)])}"/>')
    parts.append(f'<polyline class="edge" points="{_points(highs)}"/>')
    parts.append(f'<polyline class="edge" points="{_points(lows)}"/>')
    parts.append(f'<polyline class="line" points="{_points(middles)}"/>')
    if limit is not None:
        parts.append(_line("limit", 0, y, WIDTH, y))
    parts.append(_dot("estimate", *middles[-1]))
    across = [Tick(step / last * 100, f"{step:,}") for step in _steps(last)]
    return Chart(_svg(f"path {kind}", height, parts), across, rate_ticks())


def exceedance(loss: Mapping[str, Any], language: Language = ENGLISH) -> Chart | None:
    """Probability that a year's loss exceeds an amount, amounts on a log scale.

    Amounts of less than a 100,000th of the 95th percentile are left out. None where fewer than two
    points lie above 0.
    """
    points = _worth_drawing(loss)
    if len(points) < 2 or points[0][0] >= points[-1][0]:
        return None
    height = 240.0
    first, last = math.log10(points[0][0]), math.log10(points[-1][0])

    def across(amount: float) -> float:
        return min(1.0, max(0.0, (math.log10(amount) - first) / (last - first))) * WIDTH

    highest = max(point[1] for point in [*points, *loss.get("band", {}).get("high", ())])
    top = next(share for share in _TOPS if share >= min(1.0, highest))

    def up(chance: float) -> float:
        return (1 - chance / top) * height

    drawn = [(across(amount), up(chance)) for amount, chance in points]
    parts = [
        _line("grid", 0, height * share, WIDTH, height * share) for share in (0, 0.25, 0.5, 0.75)
    ]
    decades = [
        power for power in range(math.ceil(first), math.floor(last) + 1) if -300 < power < 300
    ]
    stride = max(1, -(-len(decades) // 6))
    shown = [power for power in decades if power % stride == 0]
    parts += [_line("grid", across(10.0**power), 0, across(10.0**power), height) for power in shown]
    parts.append(_ignorance(loss, points[0][0], across, up) or _filled(drawn, height))
    parts.append(f'<polyline class="line" points="{_points(drawn)}"/>')
    marks = [("median", 0.5), ("p95", 0.05)]
    for name, chance in marks:
        if loss[name] > 0 and first <= math.log10(loss[name]) <= last:
            parts.append(_line("mark", across(loss[name]), 0, across(loss[name]), height))
            parts.append(_dot("estimate", across(loss[name]), up(chance)))
    ticks = [
        Tick(across(10.0**power) / 10, language.money(10.0**power, loss["unit"])) for power in shown
    ]
    shares = [Tick(share * 100, percent(share * top)) for share in (0, 0.25, 0.5, 0.75, 1)]
    return Chart(_svg("exceedance", height, parts), ticks, shares)


def _filled(drawn: Sequence[Point], height: float) -> str:
    """The area below a curve."""
    return (
        f'<polygon class="band" points="0,{height} {_points(drawn)} {drawn[-1][0]:.1f},{height}"/>'
    )


def _ignorance(
    loss: Mapping[str, Any],
    least: float,
    across: Callable[[float], float],
    up: Callable[[float], float],
) -> str:
    """The band of curves over possible worlds; empty where a document has none."""
    if not loss.get("band"):
        return ""
    low, high = (
        [(across(amount), max(0.0, up(chance))) for amount, chance in loss["band"][name]
         if amount >= least]
        for name in ("low", "high")
    )  # fmt: skip
    return f'<polygon class="band" points="{_points([*high, *low[::-1]])}"/>' if low else ""


def _worth_drawing(loss: Mapping[str, Any]) -> list[Point]:
    """Points of the curve in rising order, with one at the left edge on the line to the next."""
    points = sorted((amount, chance) for amount, chance in loss["exceedance"] if amount > 0)
    floor = loss["p95"] * 1e-5
    cut = next((place for place, point in enumerate(points) if point[0] > floor), 0)
    if cut == 0 or floor <= 0:
        return points
    (before, high), (after, low) = points[cut - 1], points[cut]
    share = math.log(floor / before) / math.log(after / before)
    return [(floor, high + share * (low - high)), *points[cut:]]


def bar(share: float, kind: str = "") -> Markup:
    """A horizontal bar of ``share`` in [0, 1] of the width, hatched where ``kind`` is "prior"."""
    length = min(1.0, max(0.0, share)) * WIDTH
    drawn = [f'<rect x="0" y="0" width="{length:.1f}" height="10"/>']
    if kind == "prior":
        strokes = "".join(
            f"M{x} 10L{min(x + _HATCH, length):.5g} 0" for x in range(0, int(length), _HATCH)
        )
        drawn.append(f'<path d="{strokes}"/>')
    return _svg(f"bar {kind}", 10, drawn)


def swings(loss: Mapping[str, Any]) -> list[Markup]:
    """A tornado: for each input a bar from the mean loss at its low end to that at its high end.

    All are on one linear scale, which need not begin at 0; the line is the mean as it stands.
    """
    rows = loss.get("inputs", ())
    if not rows:
        return []
    first = min(loss["mean"], *(row["low"] for row in rows))
    last = max(loss["mean"], *(row["high"] for row in rows))
    scale = WIDTH / max(last - first, 1e-300)
    middle = (loss["mean"] - first) * scale
    drawn = []
    for row in rows:
        low, high = (row["low"] - first) * scale, (row["high"] - first) * scale
        parts = [
            f'<rect x="{low:.1f}" y="0" width="{max(high - low, 0.0):.1f}" height="10"/>',
            _line("mark", middle, -2, middle, 12),
        ]
        drawn.append(_svg("bar swing", 10, parts))
    return drawn


def _steps(last: float) -> list[int]:
    """Round numbers from 0 to ``last``, at most six of them."""
    raw = last / 5
    magnitude = 10.0 ** math.floor(math.log10(max(raw, 1.0)))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw)
    step = max(1, int(step))
    return list(range(0, int(last) + 1, step))


def _svg(kind: str, height: float, parts: Iterable[str]) -> Markup:
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {WIDTH} {height:g}" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _dot(kind: str, x: float, y: float) -> str:
    """A dot that stays round when the drawing is stretched: the end caps of a line of no length."""
    return f'<path class="{kind}" d="M{x:.1f} {y:.1f}h.01"/>'


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
