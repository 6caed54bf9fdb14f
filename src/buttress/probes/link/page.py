"""The links and forms of a page, read tolerantly and within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

_READ: Final = 256 << 10  # characters
_MOST: Final = 2_000
_LOADING: Final = frozenset(
    ("script", "iframe", "link", "object", "embed", "img", "audio", "video", "source", "track")
)
_LOADING_LINKS: Final = frozenset(
    ("stylesheet", "icon", "apple-touch-icon", "manifest", "preload", "modulepreload", "prefetch")
)


@dataclass(slots=True)
class Form:
    """A form: where it goes, how, and its fields as pairs of type and name.

    ``sends`` are the methods of its buttons.
    """

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    sends: set[str] = field(default_factory=set)

    @property
    def by_get(self) -> bool:
        """Whether what is typed may become a part of an address."""
        return any(one not in ("post", "dialog") for one in self.sends or {self.method})


@dataclass(slots=True)
class Page:
    """``links`` are addresses that a person can follow, ``loaded`` those that a browser does.

    ``scripts`` are those of ``loaded`` that are scripts. ``base`` is what relative addresses are
    below; ``referrer`` and ``policies`` are what ``<meta>`` says of referrers and contents.
    """

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    base: str = ""
    referrer: str = ""
    policies: list[str] = field(default_factory=list)

    def address(self, link: str) -> str:
        """A link of the page as it is followed, relative to the page where it has no base."""
        try:
            return urljoin(self.base, link.strip()) if self.base else link.strip()
        except ValueError:
            return link


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        page = self.page
        if tag == "base":
            page.base = page.base or given.get("href", "").strip()
        elif tag == "meta":
            self._meta(given)
        elif tag == "form" and len(page.forms) < _MOST:
            self._form = Form(given.get("action", ""), given.get("method", "get").lower().strip())
            page.forms.append(self._form)
        elif tag in ("input", "textarea", "select") and self._form is not None:
            kind = given.get("type", "text").lower() if tag == "input" else tag
            if kind in ("submit", "image"):
                self._button(given)
            elif len(self._form.fields) < _MOST:
                self._form.fields.append((kind, given.get("name", given.get("id", ""))))
        elif tag == "button" and given.get("type", "submit").lower() == "submit":
            self._button(given)
        elif tag == "link" and not _LOADING_LINKS & set(given.get("rel", "").lower().split()):
            pass  # such as rel=canonical: nothing is fetched
        elif tag == "a" and "href" in given and len(page.links) < _MOST:
            page.links.append(given["href"])
        elif tag in _LOADING and len(page.loaded) < _MOST:
            page.loaded += [given[name] for name in ("src", "href", "data") if name in given]
            if tag == "script" and "src" in given:
                page.scripts.append(given["src"])
            elif "modulepreload" in given.get("rel", "").lower() and "href" in given:
                page.scripts.append(given["href"])

    def _button(self, given: dict[str, str]) -> None:
        if self._form is not None:
            self._form.sends.add(given.get("formmethod", self._form.method).lower().strip())

    def _meta(self, given: dict[str, str]) -> None:
        if given.get("name", "").lower() == "referrer":
            self.page.referrer = given.get("content", "").strip().lower()
        elif given.get("http-equiv", "").lower() == "content-security-policy":
            self.page.policies.append(given.get("content", ""))

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
