"""Facts about a script that another minifier, or another run of it, leaves as they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from buttress.drift.javascript_tokens import joined_strings
from buttress.drift.masking import masked, masked_path
from buttress.rules.credentials.scanner import scan

POWERS: Final = frozenset(
    ("eval", "Function", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
     "dangerouslySetInnerHTML", "srcdoc", "importScripts", "postMessage", "localStorage",
     "sessionStorage", "indexedDB", "cookie", "WebSocket", "EventSource", "sendBeacon",
     "RTCPeerConnection", "getUserMedia", "getDisplayMedia", "geolocation", "clipboard",
     "serviceWorker", "WebAssembly", "SharedWorker", "Worker", "execCommand", "Notification",
     "PaymentRequest", "credentials", "nodeIntegration", "contextIsolation", "child_process",
     "addJavascriptInterface", "openExternal")
)  # fmt: skip
_URL: Final = re.compile(r"(?:https?|wss?)://[A-Za-z0-9.-]+(?::\d+)?[^\s\"'<>`\\)]*")
_ROUTE: Final = re.compile(r"/(?:[A-Za-z][\w.:{}$-]*)(?:/[\w.:{}$*-]*)*/?(?:\?[\w=&{}$.%-]*)?")
_FILE: Final = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|ico|css|woff2?|ttf|map|m?js)\b", re.I)
_NAMESPACES: Final = ("http://www.w3.org/", "https://www.w3.org/", "http://www.w3.org")
_WORDS: Final = 2  # words that make a string a text
_LETTERS: Final = 8
_HANZI: Final = 4  # Chinese characters that do
_LONGEST: Final = 2_000  # characters of a text


def script_facts(source: str) -> dict[str, str]:
    """What the script talks to, what it may do, what it says, and which credentials it holds.

    ``endpoint`` is a URL or a path on its own host, ``power`` an interface of the browser by which
    it can do harm, ``text`` a sentence, such as a prompt, and ``credential`` the rule of a key.
    Names of variables, order, white space, comments and the code itself are no part of it.
    """
    facts: dict[str, str] = {}
    strings: list[str] = []
    last = beforelast = ""
    for token in joined_strings(source):
        if token.kind == "string":
            _string(token.text, facts)
            strings.append(token.text)
        if token.kind in ("name", "string") and len(token.text) <= 40:
            name = token.text
            if last == "." and f"{beforelast}.{name}" in POWERS:
                facts[f"power {beforelast}.{name}"] = ""
            elif name in POWERS and not (last == "function" or _declared(name, last)):
                facts[f"power {name}"] = ""
        beforelast, last = last, token.text if len(token.text) <= 40 else ""
    for rule in credential_rules("\n".join(strings)):
        facts[f"credential {rule}"] = ""
    return facts


def _declared(name: str, before: str) -> bool:
    """Whether a name that many scripts use for values of their own has no meaning here."""
    return name in ("credentials", "Notification", "cookie") and before != "."


def credential_rules(text: str) -> set[str]:
    """The rules of the credentials in it, of those that know their credential's form.

    Rules that judge by the name of a variable are left out: a minifier changes it.
    """
    hits = scan(text.encode("utf-8", "replace"))
    return {hit.rule.id for hit in hits.found if hit.rule.verified}


def url_facts(text: str) -> dict[str, str]:
    """The URLs in a text, without those that only name a namespace."""
    found = (one for one in _URL.findall(text) if not one.startswith(_NAMESPACES))
    return {f"endpoint {_endpoint(one)}": "" for one in found}


def _string(text: str, facts: dict[str, str]) -> None:
    if "://" in text:
        facts |= url_facts(text)
    if 2 < len(text) <= 200 and _ROUTE.fullmatch(text) and not _FILE.search(text):
        facts[f"endpoint {masked_path(text.partition('?')[0])}"] = ""
    words = [word for word in text.split() if any(one.isalpha() for one in word)]
    chinese = sum("\u4e00" <= one <= "\u9fff" for one in text)
    is_text = (len(words) >= _WORDS and len(text) >= _LETTERS) or chinese >= _HANZI
    if is_text and not _is_code(text):
        facts[f"text {_named(text)}"] = ""


def _endpoint(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.lower()}{masked_path(slash + path.partition('?')[0].rstrip('.,;'))}"


def _is_code(text: str) -> bool:
    """Whether a string is markup, a style or a list of names, which builds change at will."""
    marks = sum(one in "<>{};=|\\" for one in text)
    return marks * 12 > len(text)


def _named(text: str) -> str:
    """A text with marks for what changes; of a long one the beginning, and a digest of the rest."""
    words = text.split()
    parts = (masked(" ".join(words[at : at + 12])) for at in range(0, len(words), 12))
    whole = " ".join(parts)
    if len(whole) <= _LONGEST:
        return whole
    digest = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{whole[:_LONGEST]}… ({digest})"


def united(facts: Iterable[dict[str, str]]) -> dict[str, str]:
    """The facts of several parts together."""
    whole: dict[str, str] = {}
    for one in facts:
        whole |= one
    return whole
