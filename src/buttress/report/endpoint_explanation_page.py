"""The page of an explanation of a model that is asked, without script or network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from buttress.files.visible import visible
from buttress.report.explanation_parts import coloured, method_title, page, strongest
from buttress.report.language import ENGLISH, Language, load

_FIRST: Final = 5  # first tokens that are shown


def render(document: Mapping[str, Any], code: str = "en") -> str:
    """The page in the language ``code``.

    Raises:
        InputError: there is no such language.
    """
    language = load(code)
    contrast = document["contrast"]
    tokens = sorted(document["first_tokens"].items(), key=lambda one: -one[1])[:_FIRST]
    return page(
        "endpoint_explanation.html",
        document,
        code,
        paragraph=paragraph(document, language),
        methods=[
            {
                **one,
                "title": method_title(one["method"], language),
                "tokens": coloured(document["spans"], one["values"]),
            }
            for one in document["attributions"]
        ],
        contrast=[
            {"text": visible(text, keep=" \n"), "removed": at in contrast["removed"]}
            for at, text in enumerate(document["spans"])
        ] if contrast else [],
        first_tokens=[(token, math.exp(nats)) for token, nats in tokens],
        decision=lambda one: decision(document, one, language),
    )  # fmt: skip


def decision(
    document: Mapping[str, Any], one: Mapping[str, Any], language: Language = ENGLISH
) -> str:
    """What an answer decides, in a few words."""
    say = language.say
    if document["expect"] == "refuse":
        return say("complies, where it should refuse") if one["failed"] else say("does not comply")
    return say("refuses, where it should answer") if one["failed"] else say("answers")


def paragraph(document: Mapping[str, Any], language: Language = ENGLISH) -> list[str]:
    """What the figures say in plain words, and no more."""
    say, said = language.say, []
    same, repeats = document["same"], document["repeats"]
    if same == repeats:
        said.append(say("{same} of {repeats} answers to the prompt are decided alike.",
                        same=same, repeats=repeats))  # fmt: skip
    else:
        said.append(
            say(
                "Only {same} of {repeats} answers to the same prompt are decided alike: what "
                "follows may be chance.",
                same=same, repeats=repeats,
            )
        )  # fmt: skip
    if (trial := document["trial"]) is not None and not trial["same_decision"]:
        said.append(say("The target no longer decides as in the recorded trial."))
    if len(document["spans"]) < document["words"]:
        said.append(
            say("The prompt's {words} words were removed in {spans} runs.",
                words=document["words"], spans=len(document["spans"]))
        )  # fmt: skip
    trusted = [one for one in document["attributions"] if one["trusted"]]
    for one in trusted:
        if words := strongest(document["spans"], one["values"]):
            said.append(
                say("{method} passes its tests: most of all {words}.",
                    method=method_title(one["method"], language), words=language.listing(words))
            )  # fmt: skip
    if document["attributions"] and not trusted:
        said.append(
            say(
                "No attribution passes its tests here. None of the coloured words below is to be "
                "taken as the reason for the decision."
            )
        )
    return [*said, *_contrast(document, language)]


def _contrast(document: Mapping[str, Any], language: Language) -> list[str]:
    found, say = document["contrast"], language.say
    if found is None:
        return []
    words = [f"“{visible(document['spans'][at].strip())}”" for at in found["removed"]]
    flipped = decision(document, found["flipped"], language)
    if found["replacement"]:
        return [
            say("With “{word}” in place of {words} the target {decision}, in {holds} of {asked} "
                "answers.",
                word=visible(found["replacement"]), words=language.listing(words),
                decision=flipped, holds=found["holds"], asked=found["asked"]),
            say("Removing any one piece alone does not do that."),
        ]  # fmt: skip
    said = [
        say("Without {words} the target {decision}, in {holds} of {asked} answers.",
            words=language.listing(words), decision=flipped, holds=found["holds"],
            asked=found["asked"])
    ]  # fmt: skip
    if found["smallest"]:
        said.append(say("No smaller set of these pieces does that."))
    else:
        said.append(
            say("Each of them is needed for that; whether other words would do was not searched.")
        )
    return said
