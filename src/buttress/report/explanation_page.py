"""The page of an explanation from the weights: one HTML file without script or network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from buttress.report.explanation_parts import coloured, method_title, page, strongest
from buttress.report.language import ENGLISH, Language, load


def render(document: Mapping[str, Any], code: str = "en") -> str:
    """The page in the language ``code``.

    Raises:
        InputError: there is no such language.
    """
    language = load(code)
    return page(
        "explanation.html",
        document,
        code,
        methods=[
            {
                **one,
                "title": method_title(one["method"], language),
                "tokens": coloured(document["tokens"], one["values"]),
            }
            for one in document["attributions"]
        ],
        paragraph=paragraph(document, language),
    )


def paragraph(document: Mapping[str, Any], language: Language = ENGLISH) -> list[str]:
    """What the figures say in plain words, and no more."""
    say = language.say
    whole, empty = document["log_probability"], document["baseline_log_probability"]
    said = [
        say(
            "With the prompt the answer has a log probability of {whole} nats, without it {empty}: "
            "the prompt's words change it by {change} nats.",
            whole=f"{whole:.1f}", empty=f"{empty:.1f}", change=f"{whole - empty:+.1f}",
        )
    ]  # fmt: skip
    trusted = [one for one in document["attributions"] if one["trusted"]]
    if not trusted:
        said.append(
            say(
                "No attribution passes its tests here. None of the coloured words below is to be "
                "taken as the reason for the answer."
            )
        )
    for one in trusted:
        if words := strongest(document["tokens"], one["values"]):
            said.append(
                say("{method} passes its tests: most of all {words}.",
                    method=method_title(one["method"], language), words=language.listing(words))
            )  # fmt: skip
    if lens := document["lens"]:
        first = next((one["layer"] for one in lens if one["rank"] == 1), None)
        said.append(
            say("No layer has the answer's first token in the first place.")
            if first is None
            else say(
                "The answer's first token takes the first place after layer {layer} of {layers}.",
                layer=first, layers=len(lens) - 1,
            )
        )  # fmt: skip
    if direction := document["direction"]:
        said.append(
            say(
                "Without the refusal direction the answer's log probability changes by {ablated} "
                "nats, with it added by {added}.",
                ablated=f"{direction['ablated'] - whole:+.1f}",
                added=f"{direction['added'] - whole:+.1f}",
            )
        )
    return said
