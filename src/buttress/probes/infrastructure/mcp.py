"""Servers of the Model Context Protocol: found by its handshake, then asked for their tools."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from buttress.files.visible import shortened
from buttress.probes.infrastructure.answers import HostAnswer
from buttress.probes.infrastructure.products import ABSENT
from buttress.protocols.live import ANY_PATH, LiveRequest, Reply, Session
from buttress.targets.event_stream import data as event_data

PRODUCT: Final = "mcp-server"
ALIASES: Final = ("mcp", "mcp sse", "mcp server")
# Those of most servers; "/" of those that serve nothing else; Gradio's since 5.38.
_PATHS: Final = ("/mcp", "/mcp/", "/", "/api/mcp", "/gradio_api/mcp/")
_EVENTS: Final = ("/sse", "/mcp/sse", "/gradio_api/mcp/sse")
_SESSION: Final = "mcp-session-id"
_SHOWN: Final = 10
_ENDPOINT: Final = re.compile(r"event: ?endpoint\b")
_METADATA: Final = re.compile(r"\bresource_metadata\s*=\s*\"?([^\s\",]+)", re.I)
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
    for path in _EVENTS:
        found += [_events(path), _events(path, foreign=True)]
    return [*found, *(one for one, _ in _OVER_EVENTS)]


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
        if proof := _endpoint(await session.ask(_events(path))):
            return await _over_events(session, path, proof)
    return await _behind_oauth(session)


async def _over_events(session: Session, path: str, proof: str) -> McpServer:
    """A server of the transport before revision 2025-03-26, and what it lists to anybody."""
    stream = await session.ask_over_events(_events(path), _OVER_EVENTS)
    info: dict[str, Any] | None = None
    tools: Any = None
    for one in event_data(stream.text) if stream is not None else ():
        result = _result_of(one)
        given = result.get("serverInfo")
        info = given if isinstance(given, dict) else info
        tools = result.get("tools", tools)
    names, tools_proof = _tool_names(tools)
    if info:
        proof = shortened(f"{proof}; serverInfo = {json.dumps(info, ensure_ascii=False)}")
    given = info or {}
    foreign = _endpoint(await session.ask(_events(path, foreign=True)))
    return McpServer(
        _text(given.get("name")), _text(given.get("version")), _events(path), proof,
        names, tools_proof, foreign,
    )  # fmt: skip


def _endpoint(reply: Reply | None) -> str:
    """The event that names the address for messages, empty where the answer has none."""
    if reply is None or reply.status != 200:
        return ""
    events = "text/event-stream" in reply.header("content-type").lower()
    match = _ENDPOINT.search(reply.text) if events else None
    return shortened(match[0]) if match else ""


async def _behind_oauth(session: Session) -> McpServer | None:
    """A server that asks for a token and says where its rules of access stand (RFC 9728).

    Where a path that nobody has is answered alike, nothing shows what is behind it.
    """
    absent = await session.ask(ABSENT)
    if absent is not None and _METADATA.search(absent.header("www-authenticate")):
        return None
    for request in (*map(_initialize, _PATHS), *map(_events, _EVENTS)):
        reply = await session.ask(request)
        if reply is None or reply.status != 401:
            continue
        asked = reply.header("www-authenticate")
        match = _METADATA.search(asked)
        if match and (request.path != "/" or "mcp" in match[1].lower()):
            proof = shortened(f"status 401, WWW-Authenticate: {asked}")
            return McpServer("", "", request, proof, None, "", "")
    return None


async def _listed(
    session: Session, path: str, identifier: str
) -> tuple[tuple[str, ...] | None, str]:
    values = {_SESSION: identifier}
    await session.ask(_initialized(path, session=bool(identifier)), values)
    reply = await session.ask(_tools(path, session=bool(identifier)), values)
    result = _result(reply)
    return _tool_names(result.get("tools") if result else None)


def _tool_names(tools: Any) -> tuple[tuple[str, ...] | None, str]:
    """The names of tools, and how they are shown; None where there is no list."""
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


def _result_of(text: str) -> dict[str, Any]:
    """The result in a message of JSON-RPC, empty where there is none."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    result = message.get("result") if isinstance(message, dict) else None
    return result if isinstance(result, dict) else {}


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


def _events(path: str, *, foreign: bool = False) -> LiveRequest:
    """Opens a stream of events, as in the transport before revision 2025-03-26."""
    accept = (("Accept", "text/event-stream"),)
    return LiveRequest("GET", path, accept + (_FOREIGN if foreign else ()))


_OVER_EVENTS: Final = (
    (_initialize(ANY_PATH), True),
    (_initialized(ANY_PATH, session=False), False),
    (_tools(ANY_PATH, session=False), True),
)
