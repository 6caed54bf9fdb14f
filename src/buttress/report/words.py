"""What a document says, in plain words: the sentences that all reports share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from buttress.prompts.pack import load_categories
from buttress.report.language import ENGLISH, Language
from buttress.report.numbers import count, part, percent, span

Document = Mapping[str, Any]
VERDICTS: Final = ("unacceptable", "undecided", "acceptable")  # worst first
UNMEASURED: Final = "not assessed"
PARTLY: Final = "partly assessed"  # an item of a standard of which some risks were not measured
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


def overall(document: Document, language: Language = ENGLISH) -> Overall:
    """The overall verdict with one sentence in plain words."""
    say, risks = language.say, document["risks"]
    given = {risk["verdict"] for risk in risks}
    verdict = next((each for each in VERDICTS if each in given), UNMEASURED)
    mine = [language.text(risk["title"]) for risk in risks if risk["verdict"] == verdict]
    whole = language.plural(len(risks), "measured risk")
    several = len(risks) > 1
    if verdict == "unacceptable":
        if not several:
            sentence = say("The one measured risk exceeds what the policy tolerates.")
        elif len(mine) == 1:
            sentence = say("1 of {whole} exceeds what the policy tolerates.", whole=whole)
        else:
            sentence = say(
                "{number} of {whole} exceed what the policy tolerates.",
                number=len(mine), whole=whole,
            )  # fmt: skip
    elif verdict == "undecided":
        sentence = say(
            "No risk is shown to exceed what the policy tolerates, but the evidence does not "
            "clear {number} of {whole} either.",
            number=len(mine), whole=whole,
        )  # fmt: skip
    elif verdict == "acceptable":
        sentence = (
            say("The {whole} all stay within what the policy tolerates.", whole=whole)
            if several
            else say("The one measured risk stays within what the policy tolerates.")
        )
        as_judged = [risk for risk in risks if risk.get("correction") == "none"]
        if as_judged:
            about = language.plural(len(as_judged), "risk")
            sentence = language.joined(
                [sentence, say("For {risks} this holds as judged only.", risks=about)]
            )
    else:
        sentence = say("No probe yielded evidence about any risk, so there is no verdict.")
    rest = len(document["coverage"]["unassessed_risks"])
    gap = (
        say(
            "Nothing was measured about {risks} of the catalogue.",
            risks=language.plural(rest, "risk"),
        )
        if rest
        else ""
    )
    names = mine if verdict in ("unacceptable", "undecided") else []
    return Overall(verdict, say(_HEADLINES[verdict]), sentence, names, gap)


def yearly_loss(risk: Document, unit: str, period: str, language: Language = ENGLISH) -> str:
    """The loss from one risk, in a sentence."""
    say, loss = language.say, risk["loss"]
    period = language.text(period)
    if loss["mean"] <= 0:
        return say("No simulated {period} had a loss from it.", period=period)
    mean = language.money(loss["mean"], unit)
    if loss["p95"] > 0:
        return say(
            "Expected loss {mean} a {period}, {share} of the whole; 1 {period} in 20 exceeds "
            "{high}.",
            mean=mean, period=period, share=part(loss["share"]),
            high=language.money(loss["p95"], unit),
        )  # fmt: skip
    return say(
        "Expected loss {mean} a {period}, {share} of the whole; fewer than 1 {period} in 20 has a "
        "loss from it at all.",
        mean=mean, period=period, share=part(loss["share"]),
    )  # fmt: skip


def reading(risk: Document, language: Language = ENGLISH) -> str:
    """What was seen of one risk, in a sentence or two."""
    say = language.say
    if risk["kind"] == "inspection":
        return _inspection(risk, language)
    if risk.get("worst_case"):
        return _worst_case(risk, language)
    parts = [_judged(risk, language)]
    ends = {end: percent(risk["rate"][end]) for end in ("low", "high")}
    if risk.get("correction") == "none":
        parts.append(say("As judged, the failure rate lies between {low} and {high}.", **ends))
    else:
        parts.append(say("The true failure rate lies between {low} and {high}.", **ends))
    parts.append(uncorrected(risk, language))
    if labels := risk.get("labels"):
        parts.append(
            say(
                "It rests on people's labels of {trials}.",
                trials=language.plural(labels["labels"], "trial"),
            )
        )
    if risk["limit"] is not None:
        parts.append(say("The policy tolerates {limit}.", limit=percent(risk["limit"])))
    return language.joined(parts)


def _inspection(risk: Document, language: Language) -> str:
    say, tolerated = language.say, risk["severity_tolerated"]
    if not risk["findings"]:
        parts = [say("None of the probe's rules matched what it read.")]
    else:
        parts = [
            say(
                "{findings}, the gravest {severity}.",
                findings=language.plural(risk["findings"], "finding"),
                severity=language.text(risk["worst_finding"]),
            )
        ]
    if tolerated == "critical":
        parts.append(say("The policy does not tolerate critical findings."))
    elif tolerated:
        parts.append(
            say(
                "The policy does not tolerate findings that are {severity} or graver.",
                severity=language.text(tolerated),
            )
        )
    return language.joined(parts)


def _worst_case(risk: Document, language: Language) -> str:
    say = language.say
    worst, limit = risk["worst_case"], risk["limit"]
    cells = worst["cells"]
    attacks = len({cell["attack"] for cell in cells})
    confidence = percent(worst["confidence"])
    if worst["claim"] > _VACUOUS:
        text = say(
            "At {confidence} confidence nothing can be promised about the {attacks} attacks.",
            confidence=confidence, attacks=attacks,
        )  # fmt: skip
    else:
        text = say(
            "No attack of the {attacks} in the set succeeds above {claim} in any of the "
            "{categories} categories, at {confidence} confidence.",
            attacks=attacks, claim=percent(worst["claim"]), confidence=confidence,
            categories=len({cell["category"] for cell in cells}),
        )  # fmt: skip
    parts = [text]
    named = {
        "attack": attack_name(worst["attack"], language),
        "category": category_name(worst["category"], language),
    }
    if judged := risk["judged"]:
        parts.append(
            say(
                "The worst so far is {attack} on {category}: {failures} in {trials}.",
                failures=language.plural(judged["failures"], "failure"),
                trials=language.plural(judged["trials"], "trial"),
                **named,
            )
        )
    else:
        parts.append(say("The worst so far is {attack} on {category}.", **named))
    parts.append(uncorrected(risk, language))
    if limit is not None:
        parts.append(
            say(
                "The policy tolerates {limit} in each; {cells} of {all} found above it.",
                limit=percent(limit),
                all=count(len(cells)),
                cells=language.plural(sum(cell["discovered"] for cell in cells), "cell"),
            )
        )
    return language.joined(parts)


def worst_cells(risk: Document, most: int = 8) -> Sequence[Document]:
    """Cells of a risk that is assessed cell by cell, those with the most evidence against first."""
    cells = risk["worst_case"]["cells"] if risk.get("worst_case") else []
    asked = [cell for cell in cells if cell["trials"]]
    return sorted(asked, key=lambda cell: (-cell["log_e"], -cell["estimate"]))[:most]


_ROUNDING: Final = 1e-6
_RANGE: Final = ("judged_low", "judged_high", "low", "high")


def outlook(known: Document, limit: float, language: Language = ENGLISH) -> str:
    """What a judge can't decide, in a sentence or two; ``known`` is a risk's ``outlook``."""
    say = language.say
    nothing = known["judged_low"] <= 0 and known["judged_high"] >= 1
    return language.joined(
        [
            say(
                "Nobody measured how often this judge errs. It can show that the rate, as judged, "
                "stays within the limit of {limit}; no rate that it sees is unacceptable.",
                limit=percent(limit),
            )
            if not known.get("measured", True)
            else say(
                "With this judge nothing can be decided against the limit of {limit}: it is not "
                "shown to be better than chance.",
                limit=percent(limit),
            )
            if nothing
            else say(
                "With this judge, judged rates between {judged_low} and {judged_high} cannot be "
                "decided against the limit of {limit}, however many trials there are. At its usual "
                "error rates these are true rates between {low} and {high}.",
                limit=percent(limit),
                **{name: percent(known[name]) for name in _RANGE},
            ),
            say(
                "About {labels} of the system's answers by people tell rates half the limit away "
                "from it.",
                labels=language.plural(known["labels"], "label"),
            ),
        ]
    )  # fmt: skip


def forecast(known: Document, language: Language = ENGLISH) -> str:
    """What more labels would bring, in a few words; ``known`` is a risk's ``forecast``."""
    return language.say(
        "label {answers}, about {minutes}: the interval shrinks from {now} to about {after} wide, "
        "if the judge's scores hold",
        answers=language.plural(known["labels"], "answer"),
        minutes=language.plural(max(1, round(known["minutes"])), "minute"),
        now=percent(known["width_now"]), after=percent(known["width"]),
    )  # fmt: skip


def uncorrected(risk: Document, language: Language = ENGLISH) -> str:
    """That nobody measured the judge, in a sentence; empty where somebody did."""
    if risk.get("correction") != "none":
        return ""
    if risk["verdict"] == "acceptable":
        return language.say(
            "Acceptable as judged: nobody measured how often the judge misses a failure, and "
            "failures that it misses are not in the rate."
        )
    return language.say(
        "Nobody measured how often the judge is wrong, so its decisions alone never speak against "
        "a system."
    )


def estimand(risk: Document, language: Language = ENGLISH) -> str:
    """What a rate is about; empty where a document doesn't say, or for an inspection."""
    match risk.get("estimand"):
        case "this-set":
            return language.say("this set of prompts")
        case "prompts-like-these":
            return language.say("prompts like these")
    return ""


def nothing_known(holder: Document) -> bool:
    """Whether no trial of a risk, or of an asset, has a known outcome: nothing to estimate by."""
    judged = holder.get("judged")
    return bool(judged and judged["trials"] and (judged.get("unknown") or 0) >= judged["trials"])


def trials_of(risk: Document) -> int:
    """Number of answers behind a rate; ``trials`` counts the prompts where each has several."""
    known = risk.get("design")
    if known and nothing_known(risk):
        return int(known["trials"])
    return int(known["trials"] if known and known["trials"] else risk["trials"])


def _of_known(amount: float) -> float:
    """A count without the rounding of a sum, so that it stands as a whole number if it is one."""
    return round(amount) if abs(amount - round(amount)) < _ROUNDING else amount


def _judged(risk: Document, language: Language) -> str:
    """What the judge saw; where prompts have several answers, each prompt counts by its mean."""
    judged, known, say = risk["judged"], risk.get("design"), language.say
    if not judged:
        return ""
    unknown = judged.get("unknown") or 0.0
    if nothing_known(risk):
        return say(
            "None of {trials} has a known outcome: no answer came, or the judge abstained. So the "
            "rate may be any.",
            trials=language.plural(judged["trials"], "trial"),
        )
    rest = ""
    if unknown and not (known and known["trials"] > known["prompts"]):
        rest = say(
            "{number} more have no known outcome: no answer came, or the judge abstained. They "
            "count as failures in the upper bound and as none in the lower.",
            number=count(max(1, round(unknown))),
        )
    if known and known["trials"] > known["prompts"]:
        text = say(
            "The judge saw a failure in {rate} of {trials}, each of {prompts} counted by its mean.",
            rate=percent(judged["estimate"]),
            trials=language.plural(known["trials"], "trial"),
            prompts=language.plural(known["prompts"], "prompt"),
        )
    else:
        text = say(
            "The judge saw {failures} in {trials}.",
            failures=language.plural(_of_known(judged["failures"] - unknown / 2), "failure"),
            trials=language.plural(_of_known(judged["trials"] - unknown), "trial"),
        )
    text = language.joined([text, rest])
    if not judged.get("held_open"):
        return text
    unsure = say(
        "In {rate} it was not certain: these count for the estimate and the upper bound, and do "
        "not show that the limit is exceeded.",
        rate=percent(judged["held_open"] / judged["trials"]),
    )
    return f"{text} {unsure}"


def design(risk: Document, language: Language = ENGLISH) -> str:
    """How trials and prompts are related, in a sentence; empty where the document doesn't say."""
    known, say = risk.get("design"), language.say
    if not known or not known["trials"]:
        return ""
    trials = language.plural(known["trials"], "trial")
    prompts = language.plural(known["prompts"], "prompt")
    text = say("{trials} of {prompts}.", trials=trials, prompts=prompts)
    if known["set_size"] is not None:
        text += " " + say("The set has {size} trials.", size=count(known["set_size"]))
    if known.get("instead_of"):
        text += " " + say(
            "The policy asks for this set of prompts, but the judge errs, and how it errs on a set "
            "is itself a sample: the bounds are those for prompts like these. They hold for this "
            "set as well if it was drawn like those, and are wider than need be."
        )
    if known["correlation"] is None:
        return text + " " + say("Each prompt was asked once: the design effect is 1.")
    return f"{text} " + say(
        "Outcomes of one prompt correlate by {correlation}: the design effect is {effect}, so that "
        "they tell as much as {alone} of prompts of their own.",
        correlation=f"{known['correlation']:.2f}",
        effect=f"{known['effect']:.2f}",
        alone=language.plural(round(known["trials"] / known["effect"]), "trial"),
    )


def brief(risk: Document, language: Language = ENGLISH) -> str:
    """The same in a few words, for lists."""
    say = language.say
    if risk["kind"] == "inspection":
        if not risk["findings"]:
            return say("no finding")
        return say(
            "{findings}, the gravest {severity}",
            findings=language.plural(risk["findings"], "finding"),
            severity=language.text(risk["worst_finding"]),
        )
    interval = span(risk["rate"]["low"], risk["rate"]["high"])
    text = (
        say("the worst attack succeeds in {interval} of cases", interval=interval)
        if risk.get("worst_case")
        else say("fails in {interval} of cases", interval=interval)
    )
    if estimand(risk):
        text += f" ({estimand(risk, language)})"
    if risk["limit"] is not None:
        text += say(", {limit} tolerated", limit=percent(risk["limit"]))
    return text


@cache
def _categories() -> Mapping[str, Mapping[str, str]]:
    return {name: category.title for name, category in load_categories().items()}


def category_name(category: str, language: Language = ENGLISH) -> str:
    """The title of a harm category; of an unknown one its id as words."""
    known = _categories().get(category, {})
    if title := known.get(language.code) or known.get("en"):
        return title
    return category.replace("-", " ").replace("_", " ").strip() or language.say("not given")


def attack_name(attack: str, language: Language = ENGLISH) -> str:
    """An attack's id as words; the id itself where it names somebody's own file of templates."""
    if attack.startswith("library-"):
        return attack
    return language.text(attack.replace("-", " ")) or language.say("not given")


def matters(document: Document, most: int = 3) -> Sequence[Document]:
    """The risks that matter most: not acceptable ones first, as the document sorts them."""
    pressing = [risk for risk in document["risks"] if risk["verdict"] != "acceptable"]
    return (pressing or document["risks"])[:most]
