"""Whether two assessments may be compared at all: what differs in how they were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from buttress.report.numbers import listing, percent

Document = Mapping[str, Any]


def warnings(before: Document, after: Document) -> list[str]:
    """Sentences on what makes the comparison doubtful; empty where nothing does."""
    parts = (_system, _policy, _judge, _prompts, _software)
    return [text for part in parts for text in part(before, after)]


def _system(before: Document, after: Document) -> Iterator[str]:
    old, new = before["system"], after["system"]
    if old["name"] != new["name"]:
        yield f"Different systems: {old['name']} and {new['name']}."
    if old["profile"]["requests_per_day"] != new["profile"]["requests_per_day"]:
        yield "Different requests a day: losses are not comparable, rates are."


def _policy(before: Document, after: Document) -> Iterator[str]:
    old, new = before["policy"], after["policy"]
    if (old["id"], old["decide_by"]) != (new["id"], new["decide_by"]):
        names = f"{old['id']} and {new['id']}"
        yield f"Different policies: {names}. Verdicts may differ for that alone."
    limits = {risk["id"]: risk for risk in before["risks"]}
    for risk in after["risks"]:
        known = limits.get(risk["id"])
        if known is None:
            continue
        if None not in (known["limit"], risk["limit"]) and known["limit"] != risk["limit"]:
            yield (
                f"{risk['id']}: the limit was {percent(known['limit'])} and is "
                f"{percent(risk['limit'])}."
            )
        if known["severity_tolerated"] != risk["severity_tolerated"]:
            yield (
                f"{risk['id']}: findings were not tolerated from {known['severity_tolerated']} on, "
                f"now from {risk['severity_tolerated']} on."
            )


def _judge(before: Document, after: Document) -> Iterator[str]:
    old, new = before["judge"], after["judge"]
    if old is None or new is None or old == new:
        return
    if (old["id"], old["version"]) != (new["id"], new["version"]):
        yield (
            f"Different judges: {old['id']} {old['version']} and {new['id']} {new['version']}. "
            "Counts are not comparable; only rates corrected for each judge's errors are compared."
        )
    else:
        yield (
            "The judge was calibrated anew. Counts are not comparable; only rates corrected for "
            "its errors are compared."
        )


def _prompts(before: Document, after: Document) -> Iterator[str]:
    """Documents don't hold their prompts; languages, weights and categories give them away."""
    old, new = before["system"], after["system"]
    if old["languages"] != new["languages"]:
        yield (
            f"Different languages: {listing(old['languages'])}, and {listing(new['languages'])}. "
            "The rates are about different prompts."
        )
    if old["profile"]["categories"] != new["profile"]["categories"]:
        yield "Harm categories are weighted differently: the rates are about different prompts."
    olds, news = _asked(before), _asked(after)
    changed = sorted(probe for probe in olds.keys() & news.keys() if olds[probe] != news[probe])
    if changed:
        yield (
            f"Different harm categories were asked by {listing(changed)}: the rates are about "
            "different prompts."
        )


def _asked(document: Document) -> dict[str, set[str]]:
    asked: dict[str, set[str]] = {}
    for cell in document["cells"]:
        asked.setdefault(cell["probe"], set()).add(cell["category"])
    return asked


def _software(before: Document, after: Document) -> Iterator[str]:
    old, new = (side["run"]["versions"].get("buttress") for side in (before, after))
    if old != new:
        yield f"Made by different versions of Buttress, {old} and {new}: probes may have changed."
