"""What a run says of the expected loss, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from buttress.report.language import ENGLISH, Language
from buttress.report.numbers import part

Document = Mapping[str, Any]
_COUNTED: Final = {2: "two", 3: "three"}
_ALL: Final = 0.99  # share from which on the whole was measured


def remedied(document: Document, risks: Sequence[Document], language: Language = ENGLISH) -> str:
    """By how much the expected loss falls without the losses from ``risks``; empty where none."""
    share = sum(risk["loss"]["share"] for risk in risks)
    pressing = all(risk["verdict"] != "acceptable" for risk in risks)
    if not risks or not pressing or document["loss"]["mean"] <= 0 or share <= 0:
        return ""
    if len(risks) == 1:
        return language.say(
            "Fix this one and the expected loss falls by up to {share}.",
            share=part(min(1.0, share)),
        )
    return language.say(
        "Fix these {number} and the expected loss falls by up to {share}.",
        number=language.say(_COUNTED.get(len(risks), str(len(risks)))),
        share=part(min(1.0, share)),
    )


def measured_loss(
    document: Document, risks: Sequence[Document], language: Language = ENGLISH
) -> str:
    """What part of the expected loss was measured, and what part of that ``risks`` make up.

    Empty where the document doesn't say, or where all was measured.
    """
    loss, say = document["loss"], language.say
    measured = loss.get("mean_measured")
    if measured is None or loss["mean"] <= 0 or measured >= _ALL * loss["mean"]:
        return ""
    text = say(
        "{measured} of it rests on what was measured, the rest on assumptions about risks that "
        "nothing was measured about.",
        measured=language.money(measured, loss["unit"]),
    )
    pressing = risks and all(risk["verdict"] != "acceptable" for risk in risks)
    share = sum(risk["loss"]["mean"] for risk in risks) / measured if measured > 0 else 0.0
    if not pressing or share <= 0:
        return text
    named = say(
        "The risks named here make up {share} of what was measured.", share=part(min(1.0, share))
    )
    return language.joined([text, named])


def total_loss(loss: Document, language: Language = ENGLISH) -> str:
    """The spread of the loss from all risks together, in a sentence or two."""
    say, unit, period = language.say, loss["unit"], language.text(loss["period"])
    if loss["mean"] <= 0:
        return say("No simulated {period} had a loss.", period=period)
    if loss["p95"] <= 0:
        return say(
            "Fewer than 1 simulated {period} in 20 has any loss; those that do cost much more.",
            period=period,
        )
    high = language.money(loss["p95"], unit)
    if loss["median"] <= 0:
        spread = say(
            "Half of all simulated {period}s have none, 1 in 20 exceeds {high}.",
            period=period, high=high,
        )  # fmt: skip
    else:
        low = language.money(loss["median"], unit)
        spread = say(
            "Half of all simulated {period}s stay below {low}, 1 in 20 exceeds {high}.",
            period=period, low=low, high=high,
        )  # fmt: skip
    if loss["mean"] <= loss["p95"]:
        return spread
    why = say(
        "The mean is higher than what 19 {period}s in 20 stay below, because a few very bad "
        "{period}s make up most of it.",
        period=period,
    )
    return language.joined([spread, why])
