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
    """By how much the expected loss falls without the losses from ``risks``; empty where none.

    Where a part of the loss was measured, also what part of that they make up.
    """
    share = sum(risk["loss"]["share"] for risk in risks)
    pressing = all(risk["verdict"] != "acceptable" for risk in risks)
    if not risks or not pressing or document["loss"]["mean"] <= 0 or share <= 0:
        return ""
    number = language.say(_COUNTED.get(len(risks), str(len(risks))))
    shares = {"share": part(min(1.0, share))}
    measured = _measured_part(document["loss"])
    if measured is not None:
        of_measured = sum(risk["loss"]["mean"] for risk in risks) / measured
        shares["measured"] = part(min(1.0, of_measured))
    if len(risks) == 1:
        return language.say(
            "Fix this one and the expected loss falls by up to {share}."
            if measured is None
            else "Fix this one and the expected loss falls by up to {share}, its measured part by "
            "{measured}.",
            **shares,
        )
    return language.say(
        "Fix these {number} and the expected loss falls by up to {share}."
        if measured is None
        else "Fix these {number} and the expected loss falls by up to {share}, its measured part "
        "by {measured}.",
        number=number,
        **shares,
    )


def _measured_part(loss: Document) -> float | None:
    """What part of the mean was measured; None where a document doesn't say, or where it is all."""
    measured = loss.get("mean_measured")
    if not measured or loss["mean"] <= 0 or measured >= _ALL * loss["mean"]:
        return None
    return float(measured)


def measured_loss(loss: Document, language: Language = ENGLISH) -> str:
    """What part of the expected loss was measured; empty where none or all of it was."""
    measured = _measured_part(loss)
    if measured is None:
        return ""
    return language.say(
        "{measured} of it measured",
        measured=language.money(measured, loss["unit"]),
    )


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
