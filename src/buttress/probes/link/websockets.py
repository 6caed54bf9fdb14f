"""WebSockets (RFC 6455): do they open for anybody, and for pages of other sites."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from buttress.evidence.findings import Finding
from buttress.files.shown_url import without_keys
from buttress.files.visible import shortened
from buttress.probes.link.reports import finding
from buttress.protocols.live import ANY_PATH, NO_VALUES, LiveRequest, Reply, Session

PATHS: Final = (
    "/ws", "/ws/chat", "/chat", "/websocket", "/api/ws", "/api/chat/ws", "/v1/realtime",
    "/queue/join", "/_stcore/stream", "/stream", "/socket.io/?EIO=4&transport=websocket",
    "/ws/socket.io/?EIO=4&transport=websocket", "/graphql",
)  # fmt: skip
# What the servers at a path refuse to open without.
_PROTOCOLS: Final = {"/graphql": "graphql-transport-ws, graphql-ws"}
_KEY: Final = base64.b64encode(b"buttress-survey.").decode()
_ACCEPT: Final = base64.b64encode(
    hashlib.sha1(
        f"{_KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False
    ).digest()
).decode()
FOREIGN: Final = "https://foreign.invalid"
_OWN: Final = "{origin}"
_REFUSED: Final = (400, 401, 403)  # there is something at the path: no 404


def plan() -> list[LiveRequest]:
    """Two handshakes a path: from a foreign page, and from one of the host's own."""
    return [_handshake(path, origin) for path in (*PATHS, ANY_PATH) for origin in (FOREIGN, _OWN)]


async def findings(session: Session, named: Sequence[str] = ()) -> AsyncIterator[Finding]:
    """Ask each usual path, and the addresses that the host's pages name.

    The host's own origin is tried where the foreign one is refused.
    """
    scheme, _, rest = session.url.partition("://")
    values = {"origin": f"{scheme}://{rest.partition('/')[0]}"}
    usual = [session.at(path).replace("http", "ws", 1) for path in PATHS]
    for path, url in (*zip(PATHS, usual, strict=True), *((ANY_PATH, one) for one in named)):
        if path == ANY_PATH and url in usual:
            continue
        shown = shortened(urlsplit(url).path or "/")
        foreign = await _ask(session, path, url, FOREIGN)
        if _opened(foreign):
            yield finding(
                "websocket-foreign-origin", without_keys(url),
                what=f"{shown} accepts Origin {FOREIGN} without credentials",
                proof=f"101, Sec-WebSocket-Accept: {_ACCEPT}",
            )  # fmt: skip
        elif (
            foreign is not None
            and foreign.status in _REFUSED
            and _opened(await _ask(session, path, url, _OWN, values))
        ):
            yield finding(
                "websocket-open", without_keys(url), what=f"{shown} without credentials",
                proof=f"101, Sec-WebSocket-Accept: {_ACCEPT}",
            )  # fmt: skip


async def _ask(
    session: Session, path: str, url: str, origin: str, values: Mapping[str, str] = NO_VALUES
) -> Reply | None:
    request = _handshake(path, origin)
    if path == ANY_PATH:
        return await session.ask_at(request, url, values)
    return await session.ask(request, values)


def _opened(reply: Reply | None) -> bool:
    return (
        reply is not None
        and reply.status == 101
        and reply.header("sec-websocket-accept") == _ACCEPT
    )


def _handshake(path: str, origin: str) -> LiveRequest:
    return LiveRequest(
        "GET", path,
        (
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", _KEY), ("Origin", origin),
            *((("Sec-WebSocket-Protocol", one),) if (one := _PROTOCOLS.get(path)) else ()),
        ),
    )  # fmt: skip
