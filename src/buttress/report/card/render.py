"""A card as Markdown: the form's headings, what is known under them, and the references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from buttress import __version__
from buttress.report.card.content import UNMEASURED, contents
from buttress.report.card.source import CardSource
from buttress.report.card.words import forms
from buttress.report.markdown import code, prose, table


def render_card(source: CardSource, form: str) -> str:
    """The card. Fields in ``source.facts`` are said to be stated by the provider.

    Raises:
        KeyError: no such form.
    """
    shape, words = forms()[form], source.words
    lines = [f"# {words.title(shape['title']).format(name=prose(_name(source)))}", ""]
    if source.assessed:
        day = source.document["run"]["finished"][:10]
        lines += [words.say("made", version=__version__, day=day), ""]
    else:
        files = ", ".join(code(part.file) for part in source.version.parts.values())
        lines += [words.say("made_without", version=__version__, files=files), ""]
    for section in shape["sections"]:
        lines += [f"## {words.title(section['title'])}", ""]
        for field in section["fields"]:
            lines += [f"### {words.title(field)}", "", *_field(source, field), ""]
    lines += [f"## {words.say('evidence_title')}", "", *_evidence(source)]
    head = _front_matter(source) if shape.get("front_matter") else ""
    return head + "\n".join(lines) + "\n"


def field_ids(form: str) -> list[str]:
    """Ids of all fields of a form, in order."""
    return [field["id"] for section in forms()[form]["sections"] for field in section["fields"]]


def _field(source: CardSource, field: Mapping[str, Any]) -> Iterator[str]:
    names = field.get("contents", [])
    parts = contents(source, names)
    stated = source.facts.get(field["id"], "")
    if stated:
        parts.insert(0, [source.words.say("stated", text=prose(stated))])
    if not parts:
        measurable = bool(names) and set(names) <= set(UNMEASURED)
        yield source.words.say("unmeasured" if measurable else "blank", id=field["id"])
    for at, part in enumerate(parts):
        if at:
            yield ""
        yield from part


def _name(source: CardSource) -> str:
    if source.assessed:
        return str(source.document["system"]["name"])
    aligned = source.version.parts.get("align")
    named = None if aligned is None else aligned.document.get("system")
    return source.version.file if named is None else str(named)


def _evidence(source: CardSource) -> Iterator[str]:
    say = source.words.say
    for version in source.versions:
        if version.document is None:
            name = "parts_whole" if version.evidence_whole else "parts_absent"
            yield "- " + say(name, folder=code(version.file))
            continue
        known, run = version.document["evidence"], version.document["run"]["id"]
        name = "evidence_whole" if version.evidence_whole else "evidence_absent"
        yield "- " + say(name, run=code(run), records=known["records"], head=code(known["head"]),
                         file=code(version.file))  # fmt: skip
    yield ""
    rows = [
        [f'<a id="e{one.number}"></a>E{one.number}', prose(one.figure),
         f"{prose(one.file)} {code(one.pointer or '#')}", prose(one.rests)]
        for one in source.references.all()
    ]  # fmt: skip
    head = ["evidence", "reference_figure", "reference_where", "reference_rests"]
    yield from table([say(one) for one in head], rows)


def _front_matter(source: CardSource) -> str:
    """Metadata of the Hub: languages, licence where stated, and a model index of the rates."""
    data: dict[str, Any] = {}
    if source.assessed:
        data["language"] = list(source.document["system"]["languages"])
    if licence := source.facts.get("licence"):
        data["license"] = licence
    if base := source.facts.get("base-model"):
        data["base_model"] = base
    data["tags"] = ["buttress", "safety-assessment"]
    results = list(_index(source)) if source.assessed else []
    if results:
        data["model-index"] = [{"name": source.document["system"]["name"], "results": results}]
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    return f"---\n{text}---\n"


def _index(source: CardSource) -> Iterator[dict[str, Any]]:
    for risk in source.document["risks"]:
        if risk["kind"] != "trials":
            continue
        for one in risk["assets"]:
            rate = one["rate"]
            yield {
                "task": {"type": "text-generation"},
                "dataset": {"type": f"buttress/{risk['probe']}", "name": risk["title"]},
                "metrics": [
                    {"type": "failure-rate", "name": f"failure rate of {one['asset']}",
                     "value": round(rate["estimate"], 6)},
                    {"type": "failure-rate-upper-bound",
                     "name": f"upper bound of {one['asset']}", "value": round(rate["high"], 6)},
                ],
            }  # fmt: skip
