"""The page of a survey: one HTML file without script or network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from jinja2 import Environment

from buttress.files.visible import visible
from buttress.report import numbers
from buttress.report.language import load
from buttress.report.page_templates import page_environment, template_text
from buttress.report.survey_terminal import requests_sent

_LAYERS: Final = ("infrastructure", "link", "service", "client")
_GRAVE: Final = ("critical", "high", "medium", "low", "info")
_HOSTS: Final = 300  # that are shown in full
_SAID: Final = 50  # sentences of one rule
_PLACES: Final = 10  # of one sentence
_NOT_JUDGED: Final = "not judged"


def render(document: Mapping[str, Any], language: str = "en") -> str:
    """The page; all text of the document is escaped.

    Raises:
        InputError: there is no such language.
    """
    hosts = document["hosts"]
    reached = [one for one in hosts if one["reached"]]
    missed = [one for one in hosts if not one["reached"]]
    graves = Counter(one["severity"] for one in document["findings"])
    return (
        _environment(language)
        .get_template("survey.html")
        .render(
            document=document,
            language=load(language),
            style=template_text("report.css") + template_text("survey.css"),
            by_severity=[(grave, graves[grave]) for grave in _GRAVE if graves[grave]],
            layers=list(_by_layer(document)),
            reached=reached,
            shown=reached[:_HOSTS],
            missed=missed[:_HOSTS],
            missed_count=len(missed),
            given_up=[one for one in reached if one["not_sent"] or one["failed"]][:_HOSTS],
            products=sum(len(one["products"]) for one in hosts),
            sent=sum(map(requests_sent, hosts)),
            not_sent=sum(one["not_sent"] for one in hosts),
            not_judged=list(_not_judged(hosts)),
        )
    )


@cache
def _environment(code: str) -> Environment:
    language = load(code)
    environment = page_environment()
    environment.filters.update(
        shown=visible, count=numbers.count, minute=_minute, plural=language.plural,
        facts=lambda host: [one for one in host["facts"] if one["name"] != _NOT_JUDGED],
    )  # fmt: skip
    environment.globals.update(say=language.say, text=language.text)
    return environment


def _minute(time: str) -> str:
    """The day and minute of a time in ISO 8601, which is UTC."""
    return f"{time[:16].replace('T', ' ')} UTC"


def _by_layer(document: Mapping[str, Any]) -> Iterator[tuple[str, int, list[dict[str, Any]]]]:
    """Each layer that was asked, the number of its findings, and these by rule."""
    layers: Mapping[str, str] = document["layers"]
    asked = dict.fromkeys([*_LAYERS, *layers.values()])
    for layer in asked:
        if layer in layers.values():
            own = [one for one in document["findings"] if layers.get(one["probe"]) == layer]
            yield layer, len(own), _rules(own)
    rest = [one for one in document["findings"] if one["probe"] not in layers]
    if rest:
        yield "", len(rest), _rules(rest)


def _rules(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Findings by rule and severity, gravest first as they come.

    What is said of several places stands once. The remedy stands with the rule where all have the
    same, else with each; references that not all have are in the messages.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in findings:
        groups.setdefault((one["rule"], one["severity"]), []).append(one)
    made = []
    for (rule, severity), found in groups.items():
        said: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for one in found:
            said.setdefault((one["message"], one["remedy"]), []).append(one)
        remedies = {remedy for _, remedy in said}
        shared = remedies.pop() if len(remedies) == 1 else ""
        made.append(
            {
                "rule": rule,
                "severity": severity,
                "references": [
                    one
                    for one in found[0]["references"]
                    if all(one in each["references"] for each in found)
                ],
                "remedy": shared,
                "findings": [
                    {
                        "message": message,
                        "remedy": "" if shared else remedy,
                        "places": places[:_PLACES],
                        "more": max(0, len(places) - _PLACES),
                    }
                    for (message, remedy), places in list(said.items())[:_SAID]
                ],
                "more": sum(map(len, list(said.values())[_SAID:])),
            }
        )
    return made


def _not_judged(hosts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """What could not be tested, and at which hosts."""
    found: dict[str, list[str]] = {}
    for host in hosts:
        for fact in host["facts"]:
            if fact["name"] == _NOT_JUDGED:
                for value in fact["values"]:
                    found.setdefault(value, []).append(host["url"])
    yield from found.items()
