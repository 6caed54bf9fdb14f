"""What the page of a host names on the same host: other pages, its scripts, its WebSockets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

from buttress.probes.link.page import Page, read_page
from buttress.protocols.live import ANY_PATH, LiveRequest, Reply, Session

NAMED: Final = LiveRequest("GET", ANY_PATH)
_HOPS: Final = 5
_PAGES: Final = 8
_SCRIPTS: Final = 12
_SCRIPT_BYTES: Final = 8 << 20  # of all scripts of a host
_SOCKETS: Final = 12
_WINDOW: Final = 300  # characters from where a WebSocket is spoken of
_REDIRECTS: Final = range(300, 400)
# A link that is followed must not end a session or change something.
_UNSAFE: Final = re.compile(
    r"log-?_?out|sign-?_?out|delete|remove|destroy|unsubscribe|reset|revoke|disable|stop|shutdown|"
    r"restart|cancel|purge|clear|approve|confirm|accept|download|export",
    re.I,
)
_SPOKEN_OF: Final = re.compile(
    r"\bwss?:|[\"'`]wss?[\"'`]|WebSocket\s*\(|ws-connect\s*=|hx-ws\s*=|"
    r"(?P<framed>\b(?:Live)?Socket\s*\(|\bSockJS\s*\()",
)
_VARIABLE: Final = r"\$\{[^{}`]{0,80}\}"
_PATH: Final = rf"/(?![/*])(?:{_VARIABLE}|[\w.~%:@!$&()+,;=?/-])*"
_ADDRESS: Final = re.compile(
    rf"(?P<whole>wss?://[A-Za-z0-9.\-\[\]:]+(?:{_PATH})?)[\"'`]"
    rf"|(?:host|hostname|origin)\s*\}}(?::(?P<port>\d+)|:{_VARIABLE})?(?P<after>{_PATH})"
    rf"|[\"'`](?:connect:|{_VARIABLE})?(?P<text>{_PATH})[\"'`]",
    re.I,
)
_FILLED_IN: Final = re.compile(rf"{_VARIABLE}|(?<=/):[A-Za-z_]\w*(?=/|\?|$)")
_GOES_ON: Final = re.compile(r"\s*(?:\+|,\s*[A-Za-z_$][\w$.]*\s*\))")
_DIRECT: Final = re.compile(r"WebSocket\s*\(\s*[\"'`]([\w.?=&/-]{1,200})[\"'`]\s*[,)]")
_ENGINE: Final = re.compile(r"[\"'`](/[\w./-]{0,80}socket\.io)/?[\"'`]")
_ENGINE_QUERY: Final = "/?EIO=4&transport=websocket"


async def sockets(session: Session, root: Reply) -> list[str]:
    """Addresses of WebSockets that the pages and scripts of a host name, each once, sorted.

    Pages that ``/`` links and scripts of the pages are asked for, within bounds; so what is found
    in links, forms and cookies is found there too.
    """
    url, start = await _landing(session, root)
    if start is None:
        return []
    page = read_page(start.text)
    read = [(url, start.text, page)]
    for address in _pages(session, url, page):
        reply = await session.ask_at(NAMED, address)
        if reply is not None and _is_page(reply):
            read.append((address, reply.text, read_page(reply.text)))
    texts = [(where, text) for where, text, _ in read]
    scripts = dict.fromkeys(
        one
        for where, _, page in read
        for link in page.scripts
        for one in _joined(where, page, link)
    )
    size = 0
    for address in list(scripts)[:_SCRIPTS]:
        reply = await session.ask_at(NAMED, address)
        if reply is not None and reply.status == 200:
            texts.append((url, reply.text))
            size += len(reply.body)
        if size > _SCRIPT_BYTES:
            break
    found = {one: None for where, text in texts for one in named_sockets(where, text)}
    return sorted(found, key=lambda one: (len(one), one))[:_SOCKETS]


def named_sockets(url: str, text: str) -> Iterator[str]:
    """Addresses of WebSockets that a page at ``url``, or a script of it, speaks of.

    What is filled in when the script runs is filled in with 1.
    """
    for spoken in _SPOKEN_OF.finditer(text):
        match = _ADDRESS.search(text, spoken.start(), spoken.start() + _WINDOW)
        if match is None:
            continue
        named = match["whole"] or match["after"] or match["text"]
        if named.endswith(("/", "=")) and _GOES_ON.match(text, match.end()):
            named += "1"
        elif spoken["framed"]:  # what Phoenix and SockJS put behind the path that they are given
            named = f"{named.rstrip('/')}/websocket"
        if match["port"]:
            named = f"ws://{urlsplit(url).hostname}:{match['port']}{named}"
        yield from _absolute(url, _FILLED_IN.sub("1", named))
    for match in _DIRECT.finditer(text):
        yield from _absolute(url, match[1])
    for match in _ENGINE.finditer(text):
        yield from _absolute(url, match[1] + _ENGINE_QUERY)


def _absolute(url: str, named: str) -> Iterator[str]:
    try:
        address = urljoin(url, named)
        if urlsplit(address).netloc:
            yield address.replace("http", "ws", 1) if address.startswith("http") else address
    except ValueError:
        return


async def _landing(session: Session, root: Reply) -> tuple[str, Reply | None]:
    """Where ``/`` leads to on this host, and the page there."""
    url, reply = session.at("/"), root
    for _ in range(_HOPS):
        location = reply.header("location")
        if reply.status not in _REDIRECTS or not location:
            break
        try:
            url = urljoin(url, location)
        except ValueError:
            return url, None
        there = await session.ask_at(NAMED, url)
        if there is None:
            return url, None
        reply = there
    return url, reply if _is_page(reply) else None


def _pages(session: Session, url: str, page: Page) -> list[str]:
    """The pages that a page links on its host, without queries: the shortest, in order."""
    own = urlsplit(session.url)
    found: set[str] = set()
    for link in page.links:
        try:
            parts = urlsplit(next(_joined(url, page, link), ""))
            here = (parts.scheme, parts.hostname, parts.port or own.port) == (
                own.scheme, own.hostname, own.port,
            )  # fmt: skip
        except ValueError:
            continue
        address = parts._replace(fragment="").geturl()
        if here and not parts.query and not _UNSAFE.search(parts.path) and address != url:
            found.add(address)
    return sorted(found, key=lambda one: (len(one), one))[:_PAGES]


def _joined(url: str, page: Page, link: str) -> Iterator[str]:
    """The address that a link of a page at ``url`` leads to; nothing where it is none."""
    try:
        yield urljoin(url, page.address(link))
    except ValueError:
        return


def _is_page(reply: Reply) -> bool:
    return "html" in reply.header("content-type").lower()
