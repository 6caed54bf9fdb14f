"""The links and forms of a page, read tolerantly and within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_READ: Final = 256 << 10  # characters
_MOST: Final = 2_000
_LOADING: Final = frozenset(
    ("script", "iframe", "link", "object", "embed", "img", "audio", "video")
)


@dataclass(slots=True)
class Form:
    """A form: where it goes, how, and its fields as pairs of type and name."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """``links`` are addresses that a person can follow, ``loaded`` those that a browser does."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        page = self.page
        if tag == "form" and len(page.forms) < _MOST:
            self._form = Form(given.get("action", ""), given.get("method", "get").lower().strip())
            page.forms.append(self._form)
        elif tag in ("input", "textarea", "select") and self._form is not None:
            kind = given.get("type", "text").lower() if tag == "input" else tag
            if len(self._form.fields) < _MOST:
                self._form.fields.append((kind, given.get("name", given.get("id", ""))))
        elif tag == "a" and "href" in given and len(page.links) < _MOST:
            page.links.append(given["href"])
        elif tag in _LOADING and len(page.loaded) < _MOST:
            page.loaded += [given[name] for name in ("src", "href", "data") if name in given]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


def read_page(text: str) -> Page:
    """The links and forms of HTML; of a longer text the first 256 Ki characters."""
    reader = _Reader()
    try:
        reader.feed(text[:_READ])
        reader.close()
    except (AssertionError, ValueError):
        pass  # markup that Python's parser gives up on: what came before it stands
    return reader.page
