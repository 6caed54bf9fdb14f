"""The page of an alignment: what was tried, what changed, all recipes on one plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from buttress import __version__
from buttress.files.visible import visible
from buttress.report.language import Language, load
from buttress.report.page_templates import page_environment, template_text

RISK_TITLES: Final = {
    "harmful-compliance": "Compliance with harmful requests",
    "over-refusal": "Refusal of look-alikes",
    "ordinary-refusal": "Refusal of ordinary requests",
    "degenerate-answers": "Degenerate answers",
}
_RESULTS: Final = {
    0: "better, and no worse on the rest",
    1: "worse on something",
    3: "undecided",
}
_BASES: Final = {
    "labels": "labels",
    "calibration": "the judge's calibration",
    "none": "the judge as it is",
}
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 520, 360, 46, 40
_GRID: Final = (0, 0.25, 0.5, 0.75, 1)


def render(document: Mapping[str, Any], language: str = "en") -> str:
    """The page, without script or network; all text of the document is escaped.

    Raises:
        InputError: no such language.
    """
    chosen = load(language)
    before = _rates(document["comparison"], "before")
    return (
        _environment()
        .get_template("alignment.html")
        .render(
            document=document,
            language=chosen,
            say=chosen.say,
            version=__version__,
            style=template_text("report.css") + template_text("alignment.css"),
            conclusion=conclusion(document, chosen),
            plot=plot(document, before, chosen),
            before=before,
            titles={name: chosen.say(title) for name, title in RISK_TITLES.items()},
            results={code: chosen.say(text) for code, text in _RESULTS.items()},
            bases={name: chosen.say(text) for name, text in _BASES.items()},
            limits=[chosen.messages.get(one, one) for one in document["limits"]],
            gates=[one for one in document["recipes"] if "curve" in one["details"]],
        )
    )


def conclusion(document: Mapping[str, Any], language: Language) -> list[str]:
    """The verdict in sentences, and no more than the figures say."""
    said = {
        0: "Better on what was aimed at, and no worse on the rest.",
        1: "Worse on something: this change should not ship.",
        3: "Undecided: the requests are too few for the margins, or the aim was not reached.",
    }[document["exit"]]
    found = [language.say(said)]
    for row in document["comparison"]:
        if row["part"] == "held-out":
            found.append(
                language.say(
                    "{risk}: {before} before, {after} after; {verdict}.",
                    risk=language.say(RISK_TITLES[row["risk"]]),
                    before=_percent(row["before"]),
                    after=_percent(row["after"]),
                    verdict=language.say(row["verdict"]).replace("-", " "),
                )
            )
    if (change := document["perplexity"]) is not None:
        found.append(
            language.say(
                "Perplexity of ordinary answers: {change}; {verdict}.",
                change=f"{100 * change['change']:+.1f} %",
                verdict=language.say(change["verdict"]).replace("-", " "),
            )
        )
    return found


def plot(document: Mapping[str, Any], before: Mapping[str, float], language: Language) -> Markup:
    """Harm upwards, over-refusal across; 0 is the model before, numbers are rows of the table.

    Lines are the operating curves of a gate and of a bag of words, on categories that a fit left
    out: what each would do to the rates before, by arithmetic.
    """
    start = (before.get("over-refusal", 0.0), before.get("harmful-compliance", 0.0))
    points = [(0, *start, "before")] + [
        (number, one["over_refusal"], one["harm"], f"exit{one['exit']}")
        for number, one in enumerate(document["recipes"], 1)
        if one["harm"] is not None and one["over_refusal"] is not None
    ]
    parts = [
        f'<line class="grid" x1="{_x(share):.1f}" y1="{_y(0):.1f}" x2="{_x(share):.1f}" '
        f'y2="{_y(1):.1f}"/><line class="grid" x1="{_x(0):.1f}" y1="{_y(share):.1f}" '
        f'x2="{_x(1):.1f}" y2="{_y(share):.1f}"/><text class="tick" x="{_x(share):.1f}" '
        f'y="{_y(0) + 16:.1f}" text-anchor="middle">{100 * share:.0f}</text><text class="tick" '
        f'x="{_x(0) - 6:.1f}" y="{_y(share) + 4:.1f}" text-anchor="end">{100 * share:.0f}</text>'
        for share in _GRID
    ]
    for one in document["recipes"]:
        for name, kind in (("words_curve", "words"), ("curve", "gate")):
            if name in one["details"]:
                parts.append(_line(one["details"][name], start, kind))
    placed: list[tuple[float, float]] = []
    for number, across, up, kind in points:
        x, y = _x(across), _y(up)
        while any(abs(x - a) < 14 and abs(y - b) < 14 for a, b in placed):
            x += 15  # numbers that would lie on each other stand side by side
        placed.append((x, y))
        parts.append(
            f'<circle class="point {kind}" cx="{x:.1f}" cy="{y:.1f}" r="8"/><text class="number" '
            f'x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{number}</text>'
        )
    title = Markup.escape(language.say("Harm against over-refusal"))
    svg = (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
        f"{''.join(parts)}</svg>"
    )
    return Markup(svg)


def _line(curve: Sequence[Sequence[float]], start: tuple[float, float], kind: str) -> str:
    over, harm = start
    drawn = " ".join(
        f"{_x(over + (1 - over) * alarms):.1f},{_y(harm * (1 - caught)):.1f}"
        for alarms, caught in curve
    )
    return f'<polyline class="curve {kind}" points="{drawn}"/>'


def _x(share: float) -> float:
    return _LEFT + min(1.0, max(0.0, share)) * (_WIDTH - _LEFT - 14)


def _y(share: float) -> float:
    return (_HEIGHT - _BOTTOM) - min(1.0, max(0.0, share)) * (_HEIGHT - _BOTTOM - 14)


def _rates(rows: Sequence[Mapping[str, Any]], side: str) -> dict[str, float]:
    return {row["risk"]: row[side] for row in rows if row["part"] == "held-out"}


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.0f}"


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.filters.update({
        "shown": visible, "said": partial(visible, keep="\n\t"),
        "percent": _percent, "points": _points,
    })  # fmt: skip
    return environment
