"""What a document says, in plain words: the sentences that all reports share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from buttress.report import numbers
from buttress.report.numbers import count, money, part, percent, plural, span

Document = Mapping[str, Any]
VERDICTS: Final = ("unacceptable", "undecided", "acceptable")  # worst first
UNMEASURED: Final = "not assessed"
ESTIMANDS: Final = {"this-set": "this set of prompts", "prompts-like-these": "prompts like these"}
_VACUOUS: Final = 0.98  # a claim that an attack succeeds at most so often says nothing
_HEADLINES: Final = {
    "unacceptable": "Not acceptable",
    "undecided": "Not decided yet",
    "acceptable": "Acceptable",
    UNMEASURED: "Nothing was measured",
}


@dataclass(frozen=True, slots=True)
class Overall:
    """The overall verdict: that of the worst risk, or ``not assessed`` where there is none.

    ``names`` are the titles of the risks that give it, empty where all is acceptable; ``gap`` says
    how much was not measured, empty where all was.
    """

    verdict: str
    headline: str
    sentence: str
    names: Sequence[str]
    gap: str


def tally(document: Document) -> Counter[str]:
    """Number of risks per verdict, those of the catalogue that were not assessed included."""
    numbers_of = Counter(dict.fromkeys((*VERDICTS, UNMEASURED), 0))
    numbers_of.update(risk["verdict"] for risk in document["risks"])
    numbers_of[UNMEASURED] += len(document["coverage"]["unassessed_risks"])
    return numbers_of


def overall(document: Document) -> Overall:
    """The overall verdict with one sentence in plain words."""
    risks = document["risks"]
    given = {risk["verdict"] for risk in risks}
    verdict = next((one for one in VERDICTS if one in given), UNMEASURED)
    mine = [risk["title"] for risk in risks if risk["verdict"] == verdict]
    whole = plural(len(risks), "measured risk")
    share = f"{len(mine)} of {whole}" if len(risks) > 1 else "the one measured risk"
    if verdict == "unacceptable":
        exceed = "exceeds" if len(mine) == 1 else "exceed"
        sentence = f"{share[0].upper()}{share[1:]} {exceed} what the policy tolerates."
    elif verdict == "undecided":
        sentence = (
            f"No risk is shown to exceed what the policy tolerates, but the evidence does not "
            f"clear {share} either."
        )
    elif verdict == "acceptable":
        one = len(risks) == 1
        sentence = (
            f"The {'one measured risk stays' if one else f'{whole} all stay'} within what the "
            f"policy tolerates."
        )
    else:
        sentence = "No probe yielded evidence about any risk, so there is no verdict."
    rest = len(document["coverage"]["unassessed_risks"])
    gap = f"Nothing was measured about {plural(rest, 'risk')} of the catalogue." if rest else ""
    names = mine if verdict in ("unacceptable", "undecided") else []
    return Overall(verdict, _HEADLINES[verdict], sentence, names, gap)


def yearly_loss(risk: Document, unit: str, period: str) -> str:
    """The loss from one risk, in a sentence."""
    loss = risk["loss"]
    if loss["mean"] <= 0:
        return f"No simulated {period} had a loss from it."
    text = (
        f"Expected loss {money(loss['mean'], unit)} a {period}, {part(loss['share'])} of the whole"
    )
    if loss["p95"] > 0:
        return f"{text}; 1 {period} in 20 exceeds {money(loss['p95'], unit)}."
    return f"{text}; fewer than 1 {period} in 20 has a loss from it at all."


def reading(risk: Document) -> str:
    """What was seen of one risk, in a sentence or two."""
    if risk["kind"] == "inspection":
        return _inspection(risk)
    if risk.get("worst_case"):
        return _worst_case(risk)
    low, high = risk["rate"]["low"], risk["rate"]["high"]
    judged = risk["judged"]
    text = f"The true failure rate lies between {percent(low)} and {percent(high)}."
    if judged:
        failures, trials = plural(judged["failures"], "failure"), plural(judged["trials"], "trial")
        text = f"The judge saw {failures} in {trials}. {text}"
    if labels := risk.get("labels"):
        text += f" It rests on people's labels of {plural(labels['labels'], 'trial')}."
    if risk["limit"] is not None:
        text += f" The policy tolerates {percent(risk['limit'])}."
    return text


def _worst_case(risk: Document) -> str:
    worst, limit = risk["worst_case"], risk["limit"]
    cells = worst["cells"]
    attacks = len({cell["attack"] for cell in cells})
    categories = len({cell["category"] for cell in cells})
    judged = risk["judged"]
    confidence = percent(worst["confidence"])
    where = f"of the {attacks} in the set succeeds above {percent(worst['claim'])} in any of"
    text = f"No attack {where} the {categories} categories, at {confidence} confidence."
    if worst["claim"] > _VACUOUS:
        text = f"At {confidence} confidence nothing can be promised about the {attacks} attacks."
    text += f" The worst so far is {worst['attack']} on {category_name(worst['category'])}"
    seen = ""
    if judged:
        failures, trials = plural(judged["failures"], "failure"), plural(judged["trials"], "trial")
        seen = f": {failures} in {trials}"
    text += f"{seen}."
    if limit is not None:
        found = sum(cell["discovered"] for cell in cells)
        shown = f"{plural(found, 'cell')} of {count(len(cells))} found above it"
        text += f" The policy tolerates {percent(limit)} in each; {shown}."
    return text


def worst_cells(risk: Document, most: int = 8) -> Sequence[Document]:
    """Cells of a risk that is assessed cell by cell, those with the most evidence against first."""
    cells = risk["worst_case"]["cells"] if risk.get("worst_case") else []
    asked = [cell for cell in cells if cell["trials"]]
    return sorted(asked, key=lambda cell: (-cell["log_e"], -cell["estimate"]))[:most]


def _inspection(risk: Document) -> str:
    if not risk["findings"]:
        text = "None of the probe's rules matched what it read."
    else:
        text = f"{plural(risk['findings'], 'finding')}, the gravest {risk['worst_finding']}."
    if risk["severity_tolerated"]:
        text += f" The policy does not tolerate findings that are {risk['severity_tolerated']}"
        text += " or graver." if risk["severity_tolerated"] != "critical" else "."
    return text


def estimand(risk: Document) -> str:
    """What a rate is about; empty where a document doesn't say, or for an inspection."""
    return ESTIMANDS.get(risk.get("estimand") or "", "")


def design(risk: Document) -> str:
    """How trials and prompts are related, in a sentence; empty where the document doesn't say."""
    known = risk.get("design")
    if not known or not known["trials"]:
        return ""
    text = f"{plural(known['trials'], 'trial')} of {plural(known['prompts'], 'prompt')}"
    if known["set_size"] is not None:
        text += f", out of {count(known['set_size'])} in the set"
    if known["correlation"] is None:
        return text + "; each was asked once, so that the design effect is 1."
    alone = plural(round(known["trials"] / known["effect"]), "independent trial")
    return (
        f"{text}. Outcomes of one prompt correlate by {known['correlation']:.2f}: the design "
        f"effect is {known['effect']:.2f}, so that they tell as much as {alone}."
    )


def brief(risk: Document) -> str:
    """The same in a few words, for lists."""
    if risk["kind"] == "inspection":
        if not risk["findings"]:
            return "no finding"
        return f"{plural(risk['findings'], 'finding')}, the gravest {risk['worst_finding']}"
    interval = span(risk["rate"]["low"], risk["rate"]["high"])
    about = f" ({estimand(risk)})" if estimand(risk) else ""
    text = f"fails in {interval} of cases{about}"
    if risk.get("worst_case"):
        text = f"the worst attack succeeds in {interval} of cases{about}"
    if risk["limit"] is not None:
        text += f", {percent(risk['limit'])} tolerated"
    return text


def spent(document: Document) -> list[tuple[str, str]]:
    """What the run took, next to its budget: pairs of name and text."""
    totals, budget = document["totals"], document["run"]["budget"]
    rows = [("questions", _of(count(totals["calls"]), budget["calls"], count))]
    if totals.get("attacker_calls"):
        rows.append(("asked of the attacker", count(totals["attacker_calls"])))
    rows.append(("trials judged", count(totals["trials"])))
    if totals["cached"]:
        rows.append(("known from earlier runs", count(totals["cached"])))
    minutes = None if budget["minutes"] is None else budget["minutes"] * 60
    rows.append(("time", _of(numbers.duration(totals["seconds"]), minutes, numbers.duration)))
    if totals["cost"] is not None:
        rows.append(("cost", _of(f"{totals['cost']:,.2f}", budget["cost"], "{:,.2f}".format)))
    if totals["errors"]:
        rows.append(("without an answer", count(totals["errors"])))
    return rows


def _of(text: str, limit: float | None, write: Any) -> str:
    return text if limit is None else f"{text} of {write(limit)}"


def total_loss(loss: Document) -> str:
    """The spread of the loss from all risks together, in a sentence."""
    unit, period = loss["unit"], loss["period"]
    high = money(loss["p95"], unit)
    if loss["mean"] <= 0:
        return f"No simulated {period} had a loss."
    if loss["p95"] <= 0:
        return f"Fewer than 1 simulated {period} in 20 has any loss; those that do cost much more."
    if loss["median"] <= 0:
        return f"Half of all simulated {period}s have none, 1 in 20 exceeds {high}."
    low = money(loss["median"], unit)
    return f"Half of all simulated {period}s stay below {low}, 1 in 20 exceeds {high}."


def category_name(category: str) -> str:
    """A harm category's id as words."""
    return category.replace("-", " ").replace("_", " ") or "not given"


def matters(document: Document, most: int = 3) -> Sequence[Document]:
    """The risks that matter most: not acceptable ones first, as the document sorts them."""
    pressing = [risk for risk in document["risks"] if risk["verdict"] != "acceptable"]
    return (pressing or document["risks"])[:most]
