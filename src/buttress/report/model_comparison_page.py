"""The page of what training changed in a model, without script or network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from buttress.report.charts import Chart
from buttress.report.explanation_page import concept_title
from buttress.report.explanation_parts import coloured, page
from buttress.report.language import ENGLISH, Language, load
from buttress.report.layer_plot import layer_plot

_INDUCES = 0.0  # log odds above which refusals are the rule


def render(document: Mapping[str, Any], code: str = "en") -> str:
    """The page in the language ``code``.

    Raises:
        InputError: there is no such language.
    """
    language = load(code)
    example = document["example"]
    return page(
        "model_comparison.html",
        document,
        code,
        paragraph=paragraph(document, language),
        example=coloured(example["tokens"], example["divergences"]) if example else [],
        positions=_both(document, "by_position"),
        layers=_both(document, "by_layer"),
        induced=_induced(document["directions"]),
        cosines=_cosines(document["directions"]),
        probes=[
            {"title": concept_title(one["concept"], language), "chart": _probe(one), **one}
            for one in document["probes"]
            if one["before"] and one["after"]
        ],
    )


def paragraph(document: Mapping[str, Any], language: Language = ENGLISH) -> list[str]:
    """What the figures say in plain words, and no more."""
    say, said = language.say, []
    for kind, title in (("harmful", say("harmful requests")), ("harmless", say("look-alikes"))):
        if found := document[kind]:
            said.append(
                say(
                    "On {kind} the first token of the answer diverges by {first} nats, all tokens "
                    "by {all} on average.",
                    kind=title, first=f"{found['first_token']:.3f}",
                    all=f"{found['per_token']:.3f}",
                )
            )  # fmt: skip
    before, after = (_inducing(document["directions"], side) for side in ("before", "after"))
    said.append(
        say(
            "The refusal direction of {before} layers made harmless requests be refused before, of "
            "{after} layers after.",
            before=before, after=after,
        )
    )  # fmt: skip
    for one in document["probes"]:
        if one["before"] and one["after"]:
            sides = [one[side]["layers"][one[side]["best"]]["area"] for side in ("before", "after")]
            said.append(
                say("{concept}: the best probe reaches {before} before and {after} after.",
                    concept=concept_title(one["concept"], language),
                    before=f"{sides[0]:.2f}", after=f"{sides[1]:.2f}")
            )  # fmt: skip
    return said


def _inducing(directions: Sequence[Mapping[str, Any]], side: str) -> int:
    odds = [one[f"induced_{side}"] for one in directions]
    return sum(one is not None and one > _INDUCES for one in odds)


def _both(document: Mapping[str, Any], figure: str) -> Chart | None:
    kinds = {"second": document["harmful"], "first": document["harmless"]}
    lines = {style: kind[figure] for style, kind in kinds.items() if kind and kind[figure]}
    return layer_plot(lines, low=0.0) if lines else None


def _induced(directions: Sequence[Mapping[str, Any]]) -> Chart:
    lines = {
        style: [one[side] for one in directions]
        for style, side in (("third", "induced_before"), ("first", "induced_after"))
    }
    return layer_plot(lines, level=_INDUCES)


def _cosines(directions: Sequence[Mapping[str, Any]]) -> Chart:
    return layer_plot({"first": [one["cosine"] for one in directions]}, high=1.0)


def _probe(one: Mapping[str, Any]) -> Chart:
    lines = {
        style: [layer["area"] for layer in one[side]["layers"]]
        for style, side in (("third", "before"), ("first", "after"))
    }
    low = min(0.4, *(min(line) for line in lines.values()))
    return layer_plot(lines, low=low, high=1.0, level=one["after"]["words"])
