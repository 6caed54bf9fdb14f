"""Servers of the Model Context Protocol: found by its handshake, then asked for their tools."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from buttress.files.visible import shortened
from buttress.probes.infrastructure.answers import HostAnswer
from buttress.protocols.live import LiveRequest, Reply, Session

PRODUCT: Final = "mcp-server"
ALIASES: Final = ("mcp", "mcp sse", "mcp server")
# Those of most servers; "/" of those that serve nothing else; Gradio's since 5.38.
_PATHS: Final = ("/mcp", "/mcp/", "/", "/api/mcp", "/gradio_api/mcp/")
_EVENTS: Final = ("/sse", "/mcp/sse", "/gradio_api/mcp/sse")
_SESSION: Final = "mcp-session-id"
_SHOWN: Final = 10
_ENDPOINT: Final = re.compile(r"event: ?endpoint\b")
_FOREIGN: Final = (("Host", "rebinding.invalid"), ("Origin", "http://rebinding.invalid"))
_HEADERS: Final = (
    ("Accept", "application/json, text/event-stream"),
    ("Content-Type", "application/json"),
)


@dataclass(frozen=True, slots=True)
class McpServer:
    """What a server said of itself; ``tools`` is None where it did not list them."""

    name: str
    version: str
    request: LiveRequest
    proof: str
    tools: tuple[str, ...] | None
    tools_proof: str
    foreign: str  # the part of the answer to a foreign Host and Origin, empty where it was refused


def plan() -> list[LiveRequest]:
    """Every request of the handshake, of the list of tools, and of the test for foreign hosts."""
    found: list[LiveRequest] = []
    for path in _PATHS:
        found += [_initialize(path), _initialize(path, foreign=True)]
        for session in (True, False):
            found += [_initialized(path, session=session), _tools(path, session=session)]
    return [*found, *map(_events, _EVENTS)]


async def examine(session: Session) -> McpServer | None:
    """The server at this host, if there is one that speaks over HTTP."""
    for path in _PATHS:
        request = _initialize(path)
        reply = await session.ask(request)
        info = _server_info(reply)
        if reply is None or info is None:
            continue
        identifier = reply.header(_SESSION)
        tools, proof = await _listed(session, path, identifier)
        foreign = await session.ask(_initialize(path, foreign=True))
        told = _server_info(foreign)
        return McpServer(
            _text(info.get("name")),
            _text(info.get("version")),
            request,
            shortened(f"serverInfo = {json.dumps(info, ensure_ascii=False)}"),
            tools,
            proof,
            shortened(f"serverInfo = {json.dumps(told, ensure_ascii=False)}") if told else "",
        )
    for path in _EVENTS:
        reply = await session.ask(_events(path))
        if reply is None or reply.status != 200:
            continue
        events = "text/event-stream" in reply.header("content-type").lower()
        if events and (match := _ENDPOINT.search(reply.text)):
            return McpServer("", "", _events(path), shortened(match[0]), None, "", "")
    return None


async def _listed(
    session: Session, path: str, identifier: str
) -> tuple[tuple[str, ...] | None, str]:
    values = {_SESSION: identifier}
    await session.ask(_initialized(path, session=bool(identifier)), values)
    reply = await session.ask(_tools(path, session=bool(identifier)), values)
    result = _result(reply)
    tools = result.get("tools") if result else None
    if not isinstance(tools, list):
        return None, ""
    names = tuple(_text(one.get("name")) for one in tools if isinstance(one, dict))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return names, shortened(f"tools: {', '.join(names[:_SHOWN])}{more}")


def _server_info(reply: Reply | None) -> dict[str, Any] | None:
    result = _result(reply)
    info = result.get("serverInfo") if result else None
    return info if isinstance(info, dict) else None


def _result(reply: Reply | None) -> dict[str, Any] | None:
    if reply is None or reply.status != 200:
        return None
    data = HostAnswer(reply).json
    result = data.get("result") if isinstance(data, dict) else None
    return result if isinstance(result, dict) else None


def _initialize(path: str, *, foreign: bool = False) -> LiveRequest:
    body = _rpc(
        "initialize", 1,
        {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "buttress", "version": "1"},
        },
    )  # fmt: skip
    return LiveRequest("POST", path, _HEADERS + (_FOREIGN if foreign else ()), body)


def _initialized(path: str, *, session: bool) -> LiveRequest:
    return LiveRequest("POST", path, _headers(session), _rpc("notifications/initialized", None, {}))


def _tools(path: str, *, session: bool) -> LiveRequest:
    return LiveRequest("POST", path, _headers(session), _rpc("tools/list", 2, {}))


def _headers(session: bool) -> tuple[tuple[str, str], ...]:
    extra = (("Mcp-Session-Id", f"{{{_SESSION}}}"),) if session else ()
    return (*_HEADERS, ("MCP-Protocol-Version", "2025-06-18"), *extra)


def _rpc(method: str, number: int | None, parameters: dict[str, Any]) -> bytes:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if number is not None:
        message["id"] = number
    if parameters:
        message["params"] = parameters
    return json.dumps(message, separators=(",", ":")).encode()


def _text(value: Any) -> str:
    return shortened(value) if isinstance(value, str) else ""


def _events(path: str) -> LiveRequest:
    """Opens a stream of events, as in the transport before revision 2025-03-26."""
    return LiveRequest("GET", path, (("Accept", "text/event-stream"),))
