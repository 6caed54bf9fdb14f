"""What a run took and how its answers ended, in plain words."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Final

from buttress.report import words
from buttress.report.language import ENGLISH, Language
from buttress.report.numbers import count, percent, span
from buttress.report.words import Document

_WIDTH: Final = 79  # columns of a narrow terminal
_ENDED_BY_ITSELF: Final = frozenset(("stop", "end_turn", "stop_sequence", "STOP", "completed"))


def outlooks(known: Mapping[str, tuple[Document, float]]) -> str:
    """What a judge can't decide; by risk its ``outlook`` and its limit."""
    if len(known) == 1:
        risk, (outlook, limit) = next(iter(known.items()))
        return f"{risk}: {words.outlook(outlook, limit)}"
    alike: dict[str, list[str]] = {}
    for risk, (outlook, limit) in known.items():
        between = span(outlook["judged_low"], outlook["judged_high"])
        alike.setdefault(f"{between}, limit {percent(limit)}", []).append(risk)
    ranges = [
        textwrap.fill(
            f"{between}: {', '.join(risks)}",
            _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False,
        )
        for between, risks in alike.items()
    ]  # fmt: skip
    return "\n".join(
        [
            "This judge errs at times. A judged rate within these ranges stays undecided:",
            *ranges,
            "Labels of the system's answers narrow them. The report says how many.",
        ]
    )


def spent(document: Document, language: Language = ENGLISH) -> list[tuple[str, str]]:
    """What the run took, next to its budget: pairs of name and text."""
    say, duration = language.say, language.duration
    totals, budget = document["totals"], document["run"]["budget"]

    def of(text: str, limit: str | None) -> str:
        return text if limit is None else say("{number} of {limit}", number=text, limit=limit)

    calls = None if budget["calls"] is None else count(budget["calls"])
    rows = [(say("questions"), of(count(totals["calls"]), calls))]
    if totals.get("attacker_calls"):
        rows.append((say("asked of the attacker"), count(totals["attacker_calls"])))
    rows.append((say("trials judged"), count(totals["trials"])))
    if totals["cached"]:
        rows.append((say("known from earlier runs"), count(totals["cached"])))
    minutes = None if budget["minutes"] is None else duration(budget["minutes"] * 60)
    rows.append((say("time"), of(duration(totals["seconds"]), minutes)))
    if totals["cost"] is not None:
        most = None if budget["cost"] is None else f"{budget['cost']:,.2f}"
        rows.append((say("cost"), of(f"{totals['cost']:,.2f}", most)))
    if totals.get("judge_calls"):
        rows.append((say("asked of the judge's models"), count(totals["judge_calls"])))
    if totals.get("tokens") or totals.get("estimated_tokens"):
        rows.append((say("tokens"), _tokens(document, language)))
    if totals["errors"]:
        rows.append((say("without an answer"), count(totals["errors"])))
    if totals.get("unanswered"):
        rows.append((say("without an outcome, taken as either"), count(totals["unanswered"])))
    return rows + [
        (label, ", ".join(f"{language.text(name)} {number}" for name, number in named))
        for label, named in how_answers_ended(document, language)
    ]


def _tokens(document: Document, language: Language) -> str:
    """Tokens of all models, next to their budget, and whether they are estimates."""
    say, totals = language.say, document["totals"]
    limit = document["run"]["budget"].get("tokens")
    parts = []
    if "tokens" in totals:
        number = count(totals["tokens"])
        of = say("{number} of {limit}", number=number, limit=count(limit)) if limit else number
        parts.append(of)
    if totals.get("estimated_tokens"):
        parts.append(say("estimated, because the server tells none"))
    return "; ".join(parts)


def how_answers_ended(
    document: Document, language: Language = ENGLISH
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Who refused, why answers ended before their end, and what helped nobody: names and counts.

    Only what happened is there; answers that ended by themselves are not counted.
    """
    say, totals = language.say, document["totals"]
    groups = (
        (say("refused by the system around the model"), totals.get("refused_by")),
        (say("ended for another reason than its end"), totals.get("finish_reasons")),
        (say("answers that help with nothing"), totals.get("no_help")),
    )
    found = []
    for label, counts in groups:
        named = [
            (name, count(number))
            for name, number in sorted((counts or {}).items(), key=lambda pair: -pair[1])
            if name not in _ENDED_BY_ITSELF
        ]
        if named:
            found.append((label, named))
    return found
