"""The document rearranged as the pages of the report need it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from buttress.evidence.places import GRAVEST_FIRST
from buttress.report import charts, loss_words, run_words, words
from buttress.report.charts import Chart
from buttress.report.deciding import advice
from buttress.report.heatmap import heatmap
from buttress.report.language import ENGLISH, Language
from buttress.report.limits import not_shown

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RiskView:
    """One risk with its drawings; ``anchor`` is safe as an id in the page."""

    data: Document
    anchor: str
    brief: str
    reading: str
    interval: Markup
    chart: Chart | None
    loss: str
    assets: Sequence[tuple[Document, Markup]]
    findings: Sequence[Document]
    cells: Sequence[Document]


@dataclass(frozen=True, slots=True)
class RuleView:
    """Findings of one rule at one severity."""

    rule: str
    remedy: str
    references: Sequence[str]
    findings: Sequence[Document]

    @property
    def count(self) -> int:
        """Number of findings."""
        return len(self.findings)


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item of a standard. ``verdict`` is *partly assessed* where all that was measured is
    acceptable and something was not measured; ``assessed`` counts the risks that were.
    """

    data: Document
    verdict: str
    assessed: int


@dataclass(frozen=True, slots=True)
class StandardView:
    """A standard with the number of its items for each verdict."""

    data: Document
    items: Sequence[ItemView]
    tally: Counter[str]


def risk_views(document: Document, language: Language = ENGLISH) -> list[RiskView]:
    """The risks, in the document's order: worst first."""
    return [
        RiskView(
            data=risk,
            anchor=f"risk-{number}",
            brief=words.brief(risk, language),
            reading=words.reading(risk, language),
            interval=_interval(risk, risk["limit"], risk),
            chart=None
            if words.nothing_known(risk)
            else charts.path(risk["path"], risk["limit"], risk["verdict"]),
            loss=words.yearly_loss(
                risk, document["loss"]["unit"], document["loss"]["period"], language
            ),
            findings=[one for one in document["findings"] if one["risk"] == risk["id"]],
            cells=words.worst_cells(risk),
            assets=[(asset, _interval(asset, risk["limit"], risk)) for asset in risk["assets"]],
        )
        for number, risk in enumerate(document["risks"], start=1)
    ]


def _interval(holder: Document, limit: float | None, risk: Document) -> Markup:
    kind = "prior" if risk["kind"] == "inspection" else holder["verdict"]
    known = not words.nothing_known(holder)
    return charts.interval(holder["rate"], limit, kind, estimated=known)


def judge_errors(known: Document) -> list[tuple[str, Document]]:
    """How often the judge is wrong, as rates with intervals, each with what they mean."""
    names = {
        "sensitivity": "failures it misses",
        "specificity": "good answers it faults",
        "precision": "reported failures that are none",
    }
    return [
        (
            name,
            {
                "estimate": 1 - known[key]["estimate"],
                "low": 1 - known[key]["high"],
                "high": 1 - known[key]["low"],
            },
        )
        for key, name in names.items()
        if known.get(key)
    ]


def finding_groups(document: Document) -> list[tuple[str, list[RuleView]]]:
    """Severities, gravest first, each with its rules; severities without findings left out."""
    groups = []
    for severity in GRAVEST_FIRST:
        rules: dict[tuple[str, str], list[Document]] = {}
        for finding in document["findings"]:
            if finding["severity"] == severity:
                rules.setdefault((finding["rule"], finding["remedy"]), []).append(finding)
        views = [
            RuleView(
                rule=rule,
                remedy=remedy,
                references=sorted({ref for one in found for ref in one["references"]}),
                findings=found,
            )
            for (rule, remedy), found in rules.items()
        ]
        if views:
            groups.append((str(severity), views))
    return groups


def standards(document: Document) -> list[StandardView]:
    """The crosswalk with counts."""
    measured = {risk["id"] for risk in document["risks"]}
    views = []
    for standard in document["crosswalk"]:
        items = [_item(item, measured) for item in standard["items"]]
        views.append(StandardView(standard, items, Counter(item.verdict for item in items)))
    return views


def _item(item: Document, measured: Set[str]) -> ItemView:
    assessed = sum(risk in measured for risk in item["risks"])
    partly = item["verdict"] == "acceptable" and assessed < len(item["risks"])
    return ItemView(item, words.PARTLY if partly else item["verdict"], assessed)


def page(document: Document, language: Language = ENGLISH) -> dict[str, Any]:
    """All that the templates read."""
    risks = risk_views(document, language)
    unit = document["loss"]["unit"]
    every = [*document["risks"], *document["coverage"]["unassessed_risks"]]
    matters = words.matters(document)
    return {
        "document": document,
        "language": language,
        "overall": words.overall(document, language),
        "tally": words.tally(document),
        "total_loss": loss_words.total_loss(document["loss"], language),
        "marks": _marks(document, language),
        "matters": [view for view in risks if view.data in matters],
        "to_decide": _to_decide(matters, language),
        "measured_loss": loss_words.measured_loss(document["loss"], language),
        "remedied": loss_words.remedied(document, matters, language),
        "spent": run_words.spent(document, language),
        "risks": risks,
        "anchors": {view.data["id"]: view.anchor for view in risks},
        "titles": {risk["id"]: language.text(risk["title"]) for risk in every},
        "ticks": charts.rate_ticks(),
        "swings": charts.swings(document["loss"]),
        "exceedance": charts.exceedance(document["loss"], language),
        "heatmap": heatmap(document, language),
        "groups": finding_groups(document),
        "standards": standards(document),
        "not_shown": not_shown(document, language),
        "amount": lambda value: language.money(value, unit),
    }


def _to_decide(risks: Sequence[Document], language: Language) -> list[str]:
    """What would decide these risks, in sentences; risks are named where it differs."""
    todo = [(language.text(risk["title"]), risk["would_decide"]) for risk in risks]
    undecided = sum(bool(what) for _, what in todo)
    sentences = []
    for each in advice(todo):
        what, names = language.text(each.what), language.listing(each.risks)
        if len(each.risks) == undecided and not each.otherwise:
            sentences.append(language.say("To decide: {what}.", what=what))
        elif each.otherwise:
            sentences.append(language.say("{risks}: else {what}.", risks=names, what=what))
        else:
            sentences.append(language.say("To decide {risks}: {what}.", risks=names, what=what))
    return sentences


def _marks(document: Document, language: Language) -> list[tuple[str, str, str]]:
    """A mark for each risk of the catalogue: verdict, title, anchor (empty if not measured)."""
    measured = [
        (risk["verdict"], language.text(risk["title"]), f"risk-{number}")
        for number, risk in enumerate(document["risks"], start=1)
    ]
    rest = [
        (words.UNMEASURED, language.text(risk["title"]), "")
        for risk in document["coverage"]["unassessed_risks"]
    ]
    return measured + rest
