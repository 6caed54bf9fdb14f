"""Reads a rendered report the way a browser's parser would see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "br", "img", "link", "input", "hr"}


@dataclass
class Page(HTMLParser):
    """Elements and text of a page; ``unbalanced`` are end tags that close nothing open."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    page.unbalanced += page._open
    return page


def problems(page: Page) -> list[str]:
    """What no report may hold, whatever is in its document."""
    found = [f"unbalanced {tag}" for tag in page.unbalanced]
    allowed = {"script": 1, "style": 1}
    for tag in ("script", "style", "img", "iframe", "object", "embed", "link", "base", "form"):
        if len(page.of(tag)) > allowed.get(tag, 0):
            found.append(f"{len(page.of(tag))} × {tag}")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    found += [f"id {one} twice" for one in set(ids) if ids.count(one) > 1]
    for tag, attributes in page.elements:
        found += [f"{tag} {name}" for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href", "action"):
            target = attributes.get(name, "#")
            if not target.startswith("#"):
                found.append(f"{tag} {name}={target}")
            elif len(target) > 1 and target[1:] not in ids:
                found.append(f"{target} leads nowhere")
    return found
