"""Do errors tell how the service is built (CWE-209)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Final

from buttress.evidence.findings import Finding
from buttress.files.visible import shortened
from buttress.probes.service.api import ServiceApi
from buttress.probes.service.chat import ChatShape
from buttress.probes.service.reports import finding
from buttress.protocols.live import LiveRequest, Reply, Session

_TELLING: Final = tuple(
    (what, re.compile(pattern, re.I if what.startswith("an error") else 0))
    for what, pattern in (
        ("a Python traceback", r"Traceback \(most recent call last\)"),
        ("a line of Python source", r'File \\?"[^"\\]{1,200}\.py\\?", line \d+'),
        ("a Java stack trace", r"\bat (?:[\w.]+/{1,2})?[\w.$]+\([\w$]+\.(?:java|kt|scala):\d+\)"),
        (
            "a Node stack trace",
            r"\bat (?:[\w.<>\[\] ]+ \()?/[^\s:()]+\.[cm]?[jt]s:\d+:\d+",
        ),
        ("a panic of Rust", r"thread '[^']{1,60}' (?:\(\d+\) )?panicked at "),
        ("a Go stack trace", r"goroutine \d+ \[[a-z ]+\]:"),
        ("a .NET stack trace", r"\bat [\w.`<>]+\([^)]{0,200}\) in [^\n]{1,200}:line \d+"),
        ("a Ruby stack trace", r"\.rb:\d+:in [`']"),
        ("a PHP error", r"(?:Fatal error|Warning|Notice)</b>:.{1,300}\.php</b> on line"),
        (
            "an error of a database",
            r"SQLSTATE\[|psycopg2?\.|sqlalchemy\.exc|sqlite3\.\w*Error|ORA-\d{5}|MongoServerError|"
            r'You have an error in your SQL|near "[^"]{1,40}": syntax error|'
            r"(?:syntax error|invalid input syntax) (?:at or near|for type)|"
            r'relation "[^"]{1,60}" does not exist|no such (?:table|column): \w|'
            r'unrecognized token: "|'
            r"Unclosed quotation mark after the character string",
        ),
        (
            "a path of the machine",
            r"(?<![\w/])/(?:home|root|usr/(?:lib|local)|opt|srv|var/(?:www|lib)|app)/[\w./-]{3,}"
            r"|[A-Z]:\\\\?(?:Users|inetpub|Program Files)\\",
        ),
        (
            "the debugger of Werkzeug or Django",
            r"Werkzeug Debugger|seeing this error because you have <code>DEBUG = True",
        ),
    )
)
_BROKEN: Final = (
    b'{"messages": [',
    b'{"messages": 5, "model": {"a": 1}, "prompt": [null]}',
    b"\xff",
)
_READ: Final = 100_000


def plan(api: ServiceApi) -> Iterator[LiveRequest]:
    """Paths that no server expects; with ``active`` bodies that it can't read."""
    for path, _ in api.reads[:5]:
        yield from (api.get(one, user) for one in _odd(path) for user in _users(api))
    if api.active:
        for shape in api.shapes:
            yield from _posts(api, shape)


async def findings(session: Session, api: ServiceApi) -> AsyncIterator[Finding]:
    """What the first telling error says."""
    for path, _ in api.reads[:5]:
        for odd in _odd(path):
            for user in _users(api):
                reply = await api.ask(session, api.get(odd, user))
                if found := _judged(session.at(odd), reply):
                    yield found
                    return


async def chat_findings(
    session: Session, api: ServiceApi, shape: ChatShape
) -> AsyncIterator[Finding]:
    """The same for bodies that can't be read."""
    for request in _posts(api, shape):
        if found := _judged(session.at(shape.path), await session.ask(request)):
            yield found
            return


def _judged(url: str, reply: Reply | None) -> Finding | None:
    if reply is None or reply.status < 400:
        return None
    seen = telling(reply.text[:_READ])
    if not seen:
        return None
    return finding(
        "verbose-error", url, what=f"{', '.join(seen)}; status {reply.status}",
        proof="; ".join(shortened(one) for one in seen.values()),
    )  # fmt: skip


def telling(text: str) -> dict[str, str]:
    """What an error tells, each with the part of the text that does."""
    text = _plain(text)
    return {what: match[0] for what, pattern in _TELLING if (match := pattern.search(text))}


def _plain(text: str) -> str:
    """The text, and behind it what it means where it is written as a string of JSON."""
    if "\\" not in text:
        return text
    meant = text
    for written, sign in (("\\n", "\n"), ("\\t", "\t"), ("\\r", ""), ('\\"', '"'), ("\\/", "/")):
        meant = meant.replace(written, sign)
    return f"{text}\n{meant}"


def _odd(path: str) -> list[str]:
    before, mark, query = path.partition("?")
    return [f"{before}/%ff%00'{mark}{query}", f"{before}?limit='%22&after=%00"]


def _users(api: ServiceApi) -> tuple[str, ...]:
    return ("", api.first) if api.users else ("",)


def _posts(api: ServiceApi, shape: ChatShape) -> list[LiveRequest]:
    return [shape.post(body, user) for body in _BROKEN for user in _users(api)]
