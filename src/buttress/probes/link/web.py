"""What the answers over HTTP say of the link: plain text, HSTS, cookies, secrets in URLs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urljoin, urlsplit

from buttress.evidence.findings import Finding
from buttress.files.shown_url import without_keys
from buttress.files.visible import shortened
from buttress.probes.link.cookies import lacks, read_cookies
from buttress.probes.link.page import Page, read_page
from buttress.probes.link.reports import finding
from buttress.protocols.live import LiveRequest, Reply
from buttress.rules.credentials.scanner import scan

_HALF_A_YEAR: Final = 15_768_000  # seconds
_AGE: Final = re.compile(r"max-age\s*=\s*\"?(\d+)", re.I)
_SECRET_NAME: Final = re.compile(
    r"^(?:api[_-]?key|key|token|access[_-]?token|id[_-]?token|auth|secret|client[_-]?secret|"
    r"password|passwd|pwd|sig|signature|session(?:id)?|sid|jwt)$",
    re.I,
)
_PLACEHOLDER: Final = re.compile(
    r"^(?:\W*|your.*|xxx.*|\{.*\}|<.*>|\$.*|null|none|true|false)$", re.I
)
_TYPED: Final = re.compile(r"prompt|message|question|chat|input|query", re.I)
_LEAKY_POLICIES: Final = ("unsafe-url", "always", "no-referrer-when-downgrade")
_UPGRADED: Final = re.compile(
    r"(?:^|[;,\s])(?:upgrade-insecure-requests|block-all-mixed-content)\b", re.I
)
_REDIRECTS: Final = range(300, 400)
Answers = Mapping[LiveRequest, Reply]
At = Callable[[str], str]


def findings(at: At, host: str, answers: Answers) -> Iterator[Finding]:
    """Findings over all answers of a host; ``at`` gives the URL of a path."""
    tls = at("/").startswith("https://")
    root = answers.get(LiveRequest("GET", "/"))
    if root is not None:
        yield from _hsts(at, root) if tls else _plain(at, host, root)
        yield from _referrer(at, root)
    yield from _cookies(at, answers, tls=tls)
    told: set[tuple[str, str]] = set()
    for request, reply in answers.items():
        if request.script is not None or request.method != "GET" or reply.status == 1:
            continue
        url = at(request.path)
        for one in _urls(url, reply, tls=tls):
            if (one.rule, one.message) not in told:  # many paths often give one page
                told.add((one.rule, one.message))
                yield one


def _hsts(at: At, root: Reply) -> Iterator[Finding]:
    value = root.header("strict-transport-security")
    match = _AGE.search(value)
    if not value:
        what, proof = "no Strict-Transport-Security", f"status {root.status} without the header"
    elif match is None or int(match[1][:18]) < _HALF_A_YEAR:
        what = f"Strict-Transport-Security: {shortened(value)} holds for less than half a year"
        proof = f"Strict-Transport-Security: {shortened(value)}"
    else:
        return
    yield finding("hsts-missing", at("/"), what=what, proof=proof)


def _plain(at: At, host: str, root: Reply) -> Iterator[Finding]:
    location = root.header("location")
    if root.status in _REDIRECTS and location.lower().startswith("https://"):
        return
    near = _is_loopback(host)
    basic = root.header("www-authenticate").lower().startswith("basic")
    asks = any(kind == "password" for form in _page(root).forms for kind, _ in form.fields)
    if basic or asks:
        how = "HTTP Basic authentication" if basic else "a form with a password"
        yield finding(
            "credentials-without-tls", at("/"), what=f"{how} over plain HTTP",
            severity="low" if near else None,
            proof=shortened(root.header("www-authenticate")) if basic else "input type=password",
        )  # fmt: skip
        return
    yield finding(
        "no-tls", at("/"), severity="info" if near else None,
        what="plain HTTP on this machine, which is enough where a proxy in front speaks TLS"
        if near else "plain HTTP",
        proof=f"status {root.status} over http",
    )  # fmt: skip


def _referrer(at: At, root: Reply) -> Iterator[Finding]:
    policies = [one.strip().lower() for one in root.header("referrer-policy").split(",")]
    known = [one for one in policies if one]
    meant = _page(root).referrer
    if meant or known:
        policy = meant or known[-1]
        if policy not in _LEAKY_POLICIES:
            return
        proof = f"meta name=referrer: {policy}" if meant else f"Referrer-Policy: {policy}"
        yield finding("referrer-policy", at("/"), what=proof, proof=proof)


def _cookies(at: At, answers: Answers, *, tls: bool) -> Iterator[Finding]:
    seen: set[str] = set()
    for request, reply in answers.items():
        for cookie in read_cookies(reply.headers):
            missing = lacks(cookie, tls=tls)
            if cookie.name in seen or not missing:
                continue
            seen.add(cookie.name)
            grave = cookie.of_session and any(one != "Secure" or tls for one in missing)
            name = shortened(cookie.name)
            yield finding(
                "cookie-attributes", at(request.path),
                what=f"{name} has no {', no '.join(missing)}",
                severity="medium" if grave and "Secure" in missing else None,
                proof=f"Set-Cookie: {name}=…; "
                + "; ".join(sorted(cookie.attributes) or ["no attributes"]),
            )  # fmt: skip


def _urls(url: str, reply: Reply, *, tls: bool) -> Iterator[Finding]:
    location = reply.header("location")
    if reply.status in _REDIRECTS and tls and location.lower().startswith("http://"):
        proof = f"Location: {shortened(without_keys(location))}"
        yield finding("redirect-to-plain", url, what=proof, proof=proof)
    page = _page(reply)
    found = _secret([location, *page.links, *page.loaded, *(one.action for one in page.forms)])
    if found:
        yield finding(
            "secret-in-url", url, what=f"{found[0]} in a link, form or redirect of this page",
            proof=found[1],
        )  # fmt: skip
    yield from _forms(url, page)
    policies = [reply.header("content-security-policy"), *page.policies]
    if tls and not any(map(_UPGRADED.search, policies)):
        every = [*page.loaded, *(one.action for one in page.forms if one.action)]
        plain = [one for one in map(page.address, every) if one.lower().startswith("http://")]
        if plain:
            proof = shortened(without_keys(plain[0]))
            more = f" and {len(plain) - 1} more" if len(plain) > 1 else ""
            yield finding("mixed-content", url, what=f"{proof}{more}", proof=proof)


def _forms(url: str, page: Page) -> Iterator[Finding]:
    for form in page.forms:
        if not form.by_get:
            continue
        secret = next((name for kind, name in form.fields if kind == "password"), None)
        typed = next(
            (name for kind, name in form.fields if kind == "textarea" and _TYPED.search(name)), None
        )
        if secret is not None:
            yield finding(
                "form-in-url", url, severity="medium", what=f"a password ({shortened(secret)})",
                proof="form method=get with input type=password",
            )  # fmt: skip
        elif typed is not None:
            yield finding(
                "form-in-url", url, what=f"a prompt ({shortened(typed)})",
                proof=f"form method=get with textarea {shortened(typed)}",
            )  # fmt: skip


def _secret(addresses: Iterable[str]) -> tuple[str, str] | None:
    """What kind of secret an address holds, and the address without it."""
    for address in addresses:
        try:
            parts = urlsplit(urljoin("http://host/", address))
            pairs = parse_qsl(parts.query, max_num_fields=200)
            user = parts.password
        except ValueError:
            continue
        if user:
            return "a password", shortened(f"{parts.scheme}://…:…@{parts.hostname}{parts.path}")
        for name, value in pairs:
            if _SECRET_NAME.match(name) and len(value) >= 8 and not _PLACEHOLDER.match(value):
                shown = shortened(f"{parts.path}?{name}=[{len(value)} characters]")
                return f"'{shortened(name)}'", shown
            for hit in scan(f"{name}={value}".encode()).found:
                shown = shortened(f"{parts.path}?{name}=[{len(value)} characters]")
                return hit.rule.id, shown
    return None


def _page(reply: Reply) -> Page:
    kind = reply.header("content-type").lower()
    if reply.status == 1 or (kind and "html" not in kind):
        return Page()
    text = reply.text
    return read_page(text) if kind or text.lstrip()[:1] == "<" else Page()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() in ("localhost",) or host.lower().endswith(".localhost")
