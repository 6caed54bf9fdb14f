"""The report for people: one HTML file that needs no network and works without script.

Everything from the document is escaped (Jinja2 autoescape); text of the system under test is never
marked as safe. A Content-Security-Policy lets nothing be loaded and only our own script run, so
that a slip in a template would still not run an attacker's text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from buttress import __version__
from buttress.report import numbers, words
from buttress.report.charts import bar, interval
from buttress.report.views import judge_errors, page


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write the report to ``path``.

    Raises:
        OSError: not writable.
    """
    path.write_text(render(document), encoding="utf-8")


def render(document: Mapping[str, Any]) -> str:
    """The report as one HTML page."""
    script = _text("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html")
        .render(
            page(document),
            style=_text("report.css"),
            script=script,
            script_digest=digest,
            version=__version__,
        )
    )


def _text(name: str) -> str:
    folder = resources.files("buttress.report").joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("buttress.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=numbers.percent,
        part=numbers.part,
        span=lambda rate: numbers.span(rate["low"], rate["high"]),
        rate=numbers.rate,
        count=numbers.count,
        size=numbers.size,
        plural=numbers.plural,
        category=words.category_name,
        estimand=words.estimand,
        design=words.design,
        slug=lambda text: text.replace(" ", "-"),
    )
    environment.globals.update(bar=bar, interval=interval, judge_errors=judge_errors)
    return environment
