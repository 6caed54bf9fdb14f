"""Facts about a page: what it loads, sends and allows, without what differs from view to view."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from buttress.drift.masking import MARK, masked, masked_name, masked_url
from buttress.drift.script_facts import script_facts
from buttress.protocols.live import Reply

_READ: Final = 2 << 20  # characters of a page
_MOST: Final = 5_000  # facts
_SECURITY_HEADERS: Final = (
    "strict-transport-security", "x-frame-options", "x-content-type-options", "referrer-policy",
    "permissions-policy", "cross-origin-opener-policy", "cross-origin-embedder-policy",
    "cross-origin-resource-policy", "access-control-allow-origin",
    "access-control-allow-credentials", "server", "x-powered-by", "www-authenticate", "link",
)  # fmt: skip
_POLICIES: Final = {
    "content-security-policy": "csp",
    "content-security-policy-report-only": "csp-report-only",
}
_RANDOM_SOURCE: Final = re.compile(r"'(nonce|sha256|sha384|sha512)-[^']*'", re.IGNORECASE)
_SCRIPT_TYPES: Final = ("", "module", "text/javascript", "application/javascript", "text/babel")
_FIELDS: Final = ("input", "textarea", "select", "button")
_EMBEDS: Final = {"iframe": "src", "frame": "src", "embed": "src", "object": "data"}
_MEDIA: Final = ("img", "audio", "video", "source", "track")


def reply_facts(reply: Reply, url: str) -> dict[str, str]:
    """Status, redirect, headers that protect or tell, policy and cookies of an answer.

    Args:
        reply: the answer.
        url: where it is from, absolute.
    """
    facts = {"status": str(reply.status)}
    if location := reply.header("location"):
        facts["redirect"] = masked_url(location, url)
    if kind := reply.header("content-type"):
        facts["content-type"] = kind.partition(";")[0].strip().lower()
    for name in _SECURITY_HEADERS:
        if value := reply.header(name):
            facts[f"header {name}"] = masked(value)
    for name, kind in _POLICIES.items():
        if value := reply.header(name):
            facts |= policy_facts(value, kind)
    for name, value in reply.headers:
        if name.lower() == "set-cookie":
            facts |= _cookie(value)
    return facts


def policy_facts(policy: str, kind: str = "csp") -> dict[str, str]:
    """Directives of a content security policy with their sources in order, without nonces."""
    facts = {}
    for directive in policy.replace(",", ";").split(";"):
        name, *sources = directive.split()[:500] or [""]
        if name:
            plain = {_RANDOM_SOURCE.sub(rf"'\1-{MARK}'", one) for one in sources}
            facts[f"{kind} {name.lower()}"] = " ".join(sorted(plain))
    return facts


def _cookie(text: str) -> dict[str, str]:
    first, *attributes = text.split(";")
    flags = []
    for one in attributes:
        name, _, value = one.strip().partition("=")
        if name.lower() in ("secure", "httponly", "partitioned"):
            flags.append(name.lower())
        elif name.lower() in ("samesite", "domain", "path"):
            flags.append(f"{name.lower()}={masked(value.lower())}")
    return {f"cookie {masked_name(first.partition('=')[0].strip())}": " ".join(sorted(flags))}


@dataclass(slots=True)
class PageContent:
    """Facts of a page, and the paths of scripts on its own host, as the page names them."""

    facts: dict[str, str]
    scripts: list[str] = field(default_factory=list)


def page_content(text: str, url: str) -> PageContent:
    """Facts about the elements of a page; of a longer text the first 2 Mi characters."""
    reader = _PageReader(url)
    try:
        reader.feed(text[:_READ])
        reader.close()
    except (AssertionError, ValueError):
        pass  # markup that Python's parser gives up on: what came before it stands
    reader.finish()
    return PageContent(dict(list(reader.facts.items())[:_MOST]), reader.scripts)


class _PageReader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.facts: dict[str, str] = {}
        self.scripts: list[str] = []
        self._base = url
        self._form: tuple[str, list[str]] | None = None
        self._title: list[str] | None = None
        self._inline: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if name.startswith("on") and value:
                self._add(f"handler {tag} {name} {_code(value)}")
        if tag == "script":
            self._script(given)
        elif tag == "form":
            self._close_form()
            method = given.get("method", "get").strip().lower()
            self._form = f"form {method} {self._url(given.get('action', '')) or 'this page'}", []
        elif tag in _FIELDS and self._form is not None:
            self._field(tag, given)
        elif tag in ("a", "area"):
            self._add_url("link", given.get("href", ""))
        elif tag in _EMBEDS:
            if shown := self._url(given.get(_EMBEDS[tag], "")):
                allowed = " ".join(sorted(given.get("sandbox", "").split()))
                self._add(f"frame {shown}", f"sandbox {allowed}" if "sandbox" in given else "")
            if given.get("srcdoc"):
                self._add("frame srcdoc")
        elif tag in _MEDIA:
            self._elsewhere("media", given.get("src", ""))
        elif tag == "link":
            self._link(given)
        elif tag == "meta":
            self._meta(given)
        elif tag == "base" and given.get("href"):
            self._add(f"base {self._url(given['href'])}")
        elif tag == "title":
            self._title = []

    def handle_data(self, data: str) -> None:
        if self._inline is not None:
            self._inline.append(data)
        elif self._title is not None:
            self._title.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._close_form()
        elif tag == "title" and self._title is not None:
            self.facts.setdefault("title", masked("".join(self._title)))
            self._title = None
        elif tag == "script" and self._inline is not None:
            code = "".join(self._inline)
            self._inline = None
            self.facts |= script_facts(code)

    def finish(self) -> None:
        """The end of the page."""
        self._close_form()
        if self._inline is not None:
            self.facts |= script_facts("".join(self._inline))

    def _script(self, given: Mapping[str, str]) -> None:
        kind = given.get("type", "").strip().lower()
        if source := given.get("src", "").strip():
            shown = self._url(source)
            self._add(f"script {shown}", "integrity" if given.get("integrity") else "")
            if shown.startswith("/"):
                self.scripts.append(source)
        elif kind in _SCRIPT_TYPES:
            self._inline = []

    def _field(self, tag: str, given: Mapping[str, str]) -> None:
        assert self._form is not None
        kind = given.get("type", "text").lower() if tag == "input" else tag
        name = masked_name(given.get("name", ""))
        if name and len(self._form[1]) < _MOST:
            self._form[1].append(f"{kind}:{name}")

    def _close_form(self) -> None:
        if self._form is not None:
            name, fields = self._form
            self._form = None
            self._add(name, " ".join(sorted(set(fields))))

    def _link(self, given: Mapping[str, str]) -> None:
        relations = given.get("rel", "").lower().split()
        if "stylesheet" in relations:
            self._elsewhere("style", given.get("href", ""))
        elif "manifest" in relations:
            self._add_url("web-manifest", given.get("href", ""))
        elif "modulepreload" in relations and self._url(given.get("href", "")).startswith("/"):
            self.scripts.append(given["href"])

    def _meta(self, given: Mapping[str, str]) -> None:
        name, content = given.get("http-equiv", "").lower(), given.get("content", "")
        if name == "refresh":
            target = content.partition("=")[2]
            self._add(f"refresh {self._url(target) or 'this page'}")
        elif name in _POLICIES:
            self.facts |= policy_facts(content, _POLICIES[name])
        elif given.get("name", "").lower() in ("generator", "robots"):
            self.facts[f"meta {given['name'].lower()}"] = masked(content)

    def _elsewhere(self, kind: str, link: str) -> None:
        """Another host that something is loaded from; files of the own host come and go."""
        shown = self._url(link)
        if shown and not shown.startswith("/"):
            scheme, separator, rest = shown.partition("://")
            self._add(f"{kind} {scheme}{separator}{rest.partition('/')[0]}")

    def _add_url(self, kind: str, link: str) -> None:
        if shown := self._url(link):
            scheme, separator, rest = shown.partition("://")
            self._add(
                f"{kind} {scheme}://{rest.partition('/')[0]}" if separator else f"{kind} {shown}"
            )

    def _url(self, link: str) -> str:
        return masked_url(link, self._base)

    def _add(self, name: str, value: str = "") -> None:
        if len(self.facts) < _MOST:
            self.facts[name] = value


def _code(code: str) -> str:
    """A handler's code by its beginning and a digest, without what differs."""
    plain = masked(code)
    return f"{plain[:60]} ({hashlib.sha256(plain.encode('utf-8', 'replace')).hexdigest()[:8]})"
