"""The document rearranged as the pages of the report need it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from buttress.evidence.places import GRAVEST_FIRST
from buttress.report import charts, words
from buttress.report.charts import Chart
from buttress.report.heatmap import heatmap
from buttress.report.limits import not_shown
from buttress.report.numbers import money

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
class StandardView:
    """A standard with the number of its items for each verdict."""

    data: Document
    tally: Counter[str]


def risk_views(document: Document) -> list[RiskView]:
    """The risks, in the document's order: worst first."""
    return [
        RiskView(
            data=risk,
            anchor=f"risk-{number}",
            brief=words.brief(risk),
            reading=words.reading(risk),
            interval=_interval(risk, risk["limit"], risk),
            chart=charts.path(risk["path"], risk["limit"], risk["verdict"]),
            loss=words.yearly_loss(risk, document["loss"]["unit"], document["loss"]["period"]),
            findings=[one for one in document["findings"] if one["risk"] == risk["id"]],
            cells=words.worst_cells(risk),
            assets=[(asset, _interval(asset, risk["limit"], risk)) for asset in risk["assets"]],
        )
        for number, risk in enumerate(document["risks"], start=1)
    ]


def _interval(holder: Document, limit: float | None, risk: Document) -> Markup:
    kind = "prior" if risk["kind"] == "inspection" else holder["verdict"]
    return charts.interval(holder["rate"], limit, kind)


def judge_errors(known: Document) -> list[tuple[str, Document]]:
    """How often the judge is wrong, as rates with intervals, each with what they mean."""
    names = {"sensitivity": "failures it misses", "specificity": "good answers it faults"}
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
    return [
        StandardView(standard, Counter(item["verdict"] for item in standard["items"]))
        for standard in document["crosswalk"]
    ]


def page(document: Document) -> dict[str, Any]:
    """All that the templates read."""
    risks = risk_views(document)
    unit = document["loss"]["unit"]
    anchors = {view.data["id"]: view.anchor for view in risks}
    titles = {view.data["id"]: view.data["title"] for view in risks}
    return {
        "document": document,
        "overall": words.overall(document),
        "tally": words.tally(document),
        "total_loss": words.total_loss(document["loss"]),
        "marks": _marks(document),
        "matters": [view for view in risks if view.data in words.matters(document)],
        "spent": words.spent(document),
        "risks": risks,
        "anchors": anchors,
        "titles": titles,
        "ticks": charts.rate_ticks(),
        "exceedance": charts.exceedance(document["loss"]),
        "heatmap": heatmap(document),
        "groups": finding_groups(document),
        "standards": standards(document),
        "not_shown": not_shown(document),
        "amount": lambda value: money(value, unit),
    }


def _marks(document: Document) -> list[tuple[str, str, str]]:
    """A mark for each risk of the catalogue: verdict, title, anchor (empty if not measured)."""
    measured = [
        (risk["verdict"], risk["title"], f"risk-{number}")
        for number, risk in enumerate(document["risks"], start=1)
    ]
    rest = [
        (words.UNMEASURED, risk["title"], "") for risk in document["coverage"]["unassessed_risks"]
    ]
    return measured + rest
