"""The report for people: one HTML file that needs no network and works without script.

Everything from the document is escaped (Jinja2 autoescape); text of the system under test is never
marked as safe. A Content-Security-Policy lets nothing be loaded and only our own script run, so
that a slip in a template would still not run an attacker's text.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from buttress import __version__
from buttress.files.visible import HIDDEN
from buttress.report import numbers, words
from buttress.report.charts import bar, interval
from buttress.report.language import Language, load
from buttress.report.page_templates import page_environment, template_text
from buttress.report.views import judge_errors, page


def write(document: Mapping[str, Any], path: Path, language: str = "en") -> None:
    """Write the report to ``path``.

    Raises:
        OSError: not writable.
        InputError: there is no such language.
    """
    path.write_text(render(document, language), encoding="utf-8")


def render(document: Mapping[str, Any], language: str = "en") -> str:
    """The report as one HTML page.

    Raises:
        InputError: there is no such language.
    """
    script = template_text("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = _environment(language)
    seen = page(document, load(language))
    day, name = document["run"]["finished"][:10], document["system"]["name"]
    title = load(language).say("Safety assessment of {name}, {day}", name=name, day=day)
    return environment.get_template("report.html").render(
        seen,
        style=f"{template_text('report.css')}{_print_header(title, document, load(language))}",
        script=script,
        script_digest=digest,
        version=__version__,
    )


def _print_header(title: str, document: Mapping[str, Any], language: Language) -> str:
    """Rules that put title, page numbers and the head of the evidence on every printed page."""
    head = language.say("evidence {head}", head=document["evidence"]["head"][:16])
    number = language.say("page {page} of {pages}", page="\0", pages="\1")
    before, _, rest = number.partition("\0")
    between, _, after = rest.partition("\1")
    pages = f"{_css(before)} counter(page) {_css(between)} counter(pages) {_css(after)}"
    return (
        f"@media print {{ @page {{ @top-left {{ content: {_css(title)}; }} "
        f"@bottom-left {{ content: {_css(f'Buttress {__version__}, {head}')}; }} "
        f"@bottom-right {{ content: {pages}; }} }} }}\n"
    )


def _css(text: str) -> str:
    """``text`` as a CSS string; whatever is not a letter, digit or space is escaped by number."""
    kept = "".join(
        char if char.isalnum() or char == " " else f"\\{ord(char):06x} " for char in text
    )
    return f'"{kept}"'


@cache
def _environment(code: str) -> Environment:
    language = load(code)
    environment = page_environment()
    environment.filters.update(
        percent=numbers.percent,
        part=numbers.part,
        span=lambda rate: numbers.span(rate["low"], rate["high"]),
        rate=numbers.rate,
        count=numbers.count,
        size=language.size,
        plural=language.plural,
        category=lambda name: words.category_name(name, language),
        attack=lambda name: words.attack_name(name, language),
        text=language.text,
        nothing_known=words.nothing_known,
        trials_of=words.trials_of,
        estimand=lambda risk: words.estimand(risk, language),
        design=lambda risk: words.design(risk, language),
        outlook=lambda risk: words.outlook(risk["outlook"], risk["limit"], language),
        forecast=lambda known: words.forecast(known, language),
        shown=_shown,
        slug=lambda text: text.replace(" ", "-"),
    )
    environment.globals.update(
        bar=bar,
        interval=interval,
        judge_errors=judge_errors,
        say=language.say,
        html=language.html,
    )
    return environment


def _shown(text: str) -> Markup:
    """``text`` escaped, with characters that can't be seen or turn the direction as their numbers.

    Line breaks and tabs stay.
    """
    return Markup("").join(
        _INVISIBLE.format(f"U+{ord(char):04X}")
        if unicodedata.category(char) in HIDDEN and char not in "\n\r\t"
        else char
        for char in text
    )


_INVISIBLE: Final = Markup('<span class="invisible">{}</span>')
