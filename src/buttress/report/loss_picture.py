"""A picture of a year's loss as one SVG file: exceedance with its band, and what it consists of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final

from buttress.report.numbers import money, percent

Loss = Mapping[str, Any]
_WIDTH: Final = 920
_LEFT: Final = 70
_RIGHT: Final = 890
_TOP: Final = 70
_PLOT: Final = 260  # height of the curves
_BARS: Final = 14
_ROW: Final = 24
_DECADES: Final = 7  # of amounts that are drawn at most
_STYLES: Final = (("before", "#9a9a9a", "#dddddd"), ("after", "#0b5c8a", "#b7d6e8"))
_HEAD: Final = """\
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" \
patternTransform="rotate(45)"><rect width="6" height="6" fill="#ffffff"/>\
<line x1="0" y1="0" x2="0" y2="6" stroke="#0b5c8a" stroke-width="2"/></pattern></defs>
<style>text{font:13px sans-serif;fill:#222}.s{font-size:11px;fill:#555}.h{font-size:16px}</style>
"""


def picture(title: str, before: Loss, after: Loss) -> str:
    """The SVG text.

    Args:
        title: in words.
        before, after: ``loss`` of an assessment document, with bands; the same where there is
            nothing to compare.
    """
    rows = after["sensitivity"][:_BARS]
    height = _TOP + _PLOT + 90 + _ROW * len(rows) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        _HEAD,
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(20, 28, title, "h"),
        *_curves(before, after),
        *_bars(rows, before, after, _TOP + _PLOT + 80),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    where = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {where}>{escape(text)}</text>'


def _curves(before: Loss, after: Loss) -> list[str]:
    amounts = [amount for loss in (before, after) for amount, _ in loss["exceedance"]]
    if len(amounts) < 2 or min(amounts) >= max(amounts):
        return [_text(_LEFT, _TOP + 40, "No loss worth drawing.")]
    high = math.log10(max(amounts))
    low = max(math.log10(min(amounts)), high - _DECADES)

    def across(amount: float) -> float:
        share = (math.log10(amount) - low) / (high - low)
        return _LEFT + min(1.0, max(0.0, share)) * (_RIGHT - _LEFT)

    def up(chance: float) -> float:
        share = (math.log10(max(chance, 1e-3)) + 3) / 3
        return _TOP + (1 - share) * _PLOT

    parts = [_text(_LEFT, _TOP - 12, "Probability that a year's loss exceeds an amount", "s")]
    for power in range(4):
        y = up(10.0**-power)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_RIGHT}" stroke="#e4e4e4"/>')
        parts.append(_text(_LEFT - 8, y + 4, percent(10.0**-power), "s", "end"))
    for power in range(math.ceil(low), math.floor(high) + 1):
        x = across(10.0**power)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{_TOP + _PLOT}" stroke="#e4e4e4"/>')
        label = money(10.0**power, after["unit"])
        parts.append(_text(x, _TOP + _PLOT + 18, label, "s", "middle"))
    for (name, line, band), loss in zip(_STYLES, (before, after), strict=True):
        parts += _curve(loss, across, up, line, band)
        mean = f"{name}: mean {money(loss['mean'], loss['unit'])}, 1 year in 20 exceeds "
        mean += f"{money(loss['p95'], loss['unit'])} ± {money(loss['error']['p95'], loss['unit'])}"
        place = _TOP + _PLOT + (38 if name == "before" else 54)
        parts.append(f'<rect x="{_LEFT}" y="{place - 9}" width="18" height="8" fill="{line}"/>')
        parts.append(_text(_LEFT + 26, place, mean, "s"))
    return parts


def _curve(
    loss: Loss,
    across: Callable[[float], float],
    up: Callable[[float], float],
    line: str,
    band: str,
) -> list[str]:
    def points(rows: Sequence[Sequence[float]]) -> list[str]:
        return [f"{across(amount):.1f},{up(chance):.1f}" for amount, chance in rows]

    lows, highs = points(loss["band"]["low"]), points(loss["band"]["high"])
    return [
        f'<polygon points="{" ".join([*highs, *lows[::-1]])}" fill="{band}" opacity="0.45"/>',
        f'<polyline points="{" ".join(points(loss["exceedance"]))}" fill="none" stroke="{line}" '
        'stroke-width="2"/>',
    ]


def _bars(rows: Sequence[Loss], before: Loss, after: Loss, top: float) -> list[str]:
    head = "Mean loss a year by risk; hatched: at its prior, nobody tested it"
    parts = [_text(20, top, head, "s")]
    old = {row["risk"]: row["mean"] for row in before["sensitivity"]}
    most = max([row["mean"] for row in rows] + [old.get(row["risk"], 0.0) for row in rows] + [1e-9])
    left, room = 330, _WIDTH - 330 - 110
    for place, row in enumerate(rows):
        y = top + 12 + _ROW * place
        width = room * row["mean"] / most
        fill = "#0b5c8a" if row["measured"] else "url(#hatch)"
        was = room * old.get(row["risk"], 0.0) / most
        parts += [
            _text(left - 8, y + 13, row["title"], "", "end"),
            f'<rect x="{left}" y="{y}" width="{width:.1f}" height="14" fill="{fill}" '
            'stroke="#0b5c8a"/>',
            f'<path d="M{left + was:.1f} {y - 2}v18" stroke="#9a9a9a" stroke-width="2"/>',
            _text(left + max(width, was) + 6, y + 12, money(row["mean"], after["unit"]), "s"),
        ]
    return parts
