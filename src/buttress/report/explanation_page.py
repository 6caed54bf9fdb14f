"""The page of an explanation: one HTML file without script or network, in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from jinja2 import Environment

from buttress.files.visible import visible
from buttress.report.page_templates import page_environment, template_text

TITLES: Final = {
    "gradient-x-input": "Gradient × input",
    "integrated-gradients": "Integrated gradients",
    "occlusion": "Occlusion",
    "rollout": "Attention rollout",
}
_SHOWN: Final = 3  # tokens that the paragraph names


def render(document: Mapping[str, Any]) -> str:
    """The page; all text of the document is escaped."""
    return (
        _environment()
        .get_template("explanation.html")
        .render(
            document=document,
            style=template_text("report.css") + template_text("explanation.css"),
            methods=[_method(one, document["tokens"]) for one in document["attributions"]],
            paragraph=paragraph(document),
        )
    )


def paragraph(document: Mapping[str, Any]) -> list[str]:
    """What the figures say in plain words, and no more."""
    change = document["log_probability"] - document["baseline_log_probability"]
    said = [
        f"With the prompt the answer has a log probability of {document['log_probability']:.1f} "
        f"nats, without it {document['baseline_log_probability']:.1f}: the prompt's words change "
        f"it by {change:+.1f} nats."
    ]
    trusted = [one for one in document["attributions"] if one["trusted"]]
    if not trusted:
        said.append(
            "No attribution passes its tests here. None of the coloured words below is to be "
            "taken as the reason for the answer."
        )
    for one in trusted:
        order = sorted(range(len(one["values"])), key=lambda at: -one["values"][at])
        words = ", ".join(f"“{visible(document['tokens'][at].strip())}”" for at in order[:_SHOWN])
        said.append(f"By {TITLES[one['method']].lower()}, which passes: most of all {words}.")
    if lens := document["lens"]:
        first = next((one["layer"] for one in lens if one["rank"] == 1), None)
        said.append(
            "No layer has the answer's first token in the first place."
            if first is None
            else f"The answer's first token takes the first place after layer {first} of "
            f"{len(lens) - 1}."
        )
    if direction := document["direction"]:
        whole = document["log_probability"]
        said.append(
            f"Without the refusal direction the answer's log probability changes by "
            f"{direction['ablated'] - whole:+.1f} nats, with it added by "
            f"{direction['added'] - whole:+.1f}."
        )
    return said


def _method(one: Mapping[str, Any], tokens: Sequence[str]) -> dict[str, Any]:
    """The method with its tokens; ``strength`` goes from -10 to 10 by the largest value."""
    most = max((abs(value) for value in one["values"]), default=0.0) or 1.0
    shown = [
        {"text": visible(text, keep=" "), "value": value, "strength": round(10 * value / most)}
        for text, value in zip(tokens, one["values"], strict=True)
    ]
    return {**one, "title": TITLES[one["method"]], "tokens": shown}


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.filters["shown"] = visible
    return environment
