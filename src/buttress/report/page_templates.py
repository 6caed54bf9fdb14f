"""The templates of HTML pages, and how all of them are filled in: escaped, nothing undefined."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def template_text(name: str) -> str:
    """A file beside the templates, such as a style sheet."""
    folder = resources.files("buttress.report").joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")


def page_environment() -> Environment:
    """A new environment, to which a page adds its own filters and functions."""
    return Environment(
        loader=PackageLoader("buttress.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
