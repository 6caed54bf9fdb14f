"""WebSockets (RFC 6455): do they open for anybody, and for pages of other sites."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Final

from buttress.evidence.findings import Finding
from buttress.probes.link.reports import finding
from buttress.protocols.live import LiveRequest, Session

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


def plan() -> list[LiveRequest]:
    """Two handshakes a path: from a foreign page, and from one of the host's own."""
    return [_handshake(path, origin) for path in PATHS for origin in (FOREIGN, "{origin}")]


async def findings(session: Session) -> AsyncIterator[Finding]:
    """Ask each path; the host's own origin is tried where the foreign one is refused."""
    scheme, _, rest = session.url.partition("://")
    own = f"{scheme}://{rest.partition('/')[0]}"
    for path in PATHS:
        url = session.at(path).replace("http", "ws", 1)
        if await _opens(session, _handshake(path, FOREIGN), own):
            yield finding(
                "websocket-foreign-origin", url,
                what=f"{path.partition('?')[0]} accepts Origin {FOREIGN} without credentials",
                proof=f"101, Sec-WebSocket-Accept: {_ACCEPT}",
            )  # fmt: skip
        elif await _refused(session, path) and await _opens(
            session, _handshake(path, "{origin}"), own
        ):
            yield finding(
                "websocket-open", url, what=f"{path.partition('?')[0]} without credentials",
                proof=f"101, Sec-WebSocket-Accept: {_ACCEPT}",
            )  # fmt: skip


async def _opens(session: Session, request: LiveRequest, own: str) -> bool:
    reply = await session.ask(request, {"origin": own})
    return (
        reply is not None
        and reply.status == 101
        and reply.header("sec-websocket-accept") == _ACCEPT
    )


async def _refused(session: Session, path: str) -> bool:
    """Whether there is something at the path that refused: 403 or 401, not 404."""
    reply = await session.ask(_handshake(path, FOREIGN))
    return reply is not None and reply.status in (400, 401, 403)


def _handshake(path: str, origin: str) -> LiveRequest:
    return LiveRequest(
        "GET", path,
        (
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", _KEY), ("Origin", origin),
            *((("Sec-WebSocket-Protocol", one),) if (one := _PROTOCOLS.get(path)) else ()),
        ),
    )  # fmt: skip
