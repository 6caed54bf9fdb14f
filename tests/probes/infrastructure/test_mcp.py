"""MCP servers over a stream of events, and behind OAuth: named, and their open tools told."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from buttress.live.limits import Limits
from buttress.live.scope import Endpoint
from buttress.live.survey import HostResult, survey
from buttress.probes.infrastructure.probe import PROBE
from buttress.protocols.live import LiveContext
from tests.live.servers import Web, serving

INFO = {"serverInfo": {"name": "shop", "version": "1.9.0"}}
TOOLS = {"tools": [{"name": "price"}, {"name": "order"}]}
_STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
METADATA = 'Bearer resource_metadata="https://shop.example/.well-known/oauth-protected-resource"'


async def ask(port: int, base: str = "", timeout_s: float = 5.0) -> HostResult:
    here = Endpoint("127.0.0.1", port, "http", base)
    (result,) = await survey([here], [PROBE], LiveContext(), Limits(timeout_s=timeout_s))
    assert not result.failed, result.failed
    return result


class EventServer(Web):
    """A server of the transport of 2024-11-05: answers to what is posted come over the stream."""

    def __init__(self, endpoint: str, results: Mapping[str, Any], *, noise: bool = False) -> None:
        super().__init__({})
        self.endpoint, self.results, self.noise = endpoint, results, noise
        self.streams: list[asyncio.StreamWriter] = []
        self.called: list[str] = []

    def event(self, stream: asyncio.StreamWriter, text: str) -> None:
        data = text.encode()
        stream.write(b"%x\r\n%s\r\n" % (len(data), data))

    def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
        if method != "POST" or path != self.endpoint:
            return super().answer(method, path, head, body)
        message = json.loads(body)
        self.called.append(message["method"])
        stream = self.streams[-1]
        if self.noise:
            self.event(stream, ": ping\r\n\r\n")
            note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}
            self.event(stream, f"event: message\r\ndata: {json.dumps(note)}\r\n\r\n")
        if (result := self.results.get(message["method"])) is not None:
            reply = {"jsonrpc": "2.0", "id": message["id"], "result": result}
            self.event(stream, f"event: message\r\ndata: {json.dumps(reply)}\r\n\r\n")
        return b"HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\nAccepted"

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                method, path, _ = head.split(" ", 2)
                length = re.search(r"Content-Length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                if (method, path) == ("GET", "/sse") and "Origin: " not in head:
                    writer.write(_STREAM)
                    self.streams.append(writer)
                    self.event(writer, f"event: endpoint\r\ndata: {self.endpoint}\r\n\r\n")
                else:
                    writer.write(self.answer(method, path, head, body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.mark.parametrize("noise", [False, True])
async def test_tools_listed_over_a_stream_of_events(noise: bool) -> None:
    web = EventServer("/messages/?session_id=5", {"initialize": INFO, "tools/list": TOOLS},
                      noise=noise)  # fmt: skip
    async with serving(web) as port:
        result = await ask(port)
    (server,) = result.observations
    assert (server.name, server.version) == ("MCP server shop", "1.9.0")
    assert web.called == ["initialize", "notifications/initialized", "tools/list"]
    found = {one.rule: one for one in result.findings}
    assert found["mcp-tools-listed"].proof == "tools: price, order"
    assert found["mcp-tools-listed"].location == f"http://127.0.0.1:{port}/sse"
    assert "dns-rebinding" not in found


async def test_a_stream_that_answers_nothing_is_named_without_tools() -> None:
    web = EventServer("/messages/", {})
    async with serving(web) as port:
        result = await ask(port, timeout_s=0.5)
    assert [(one.product, one.version) for one in result.observations] == [("mcp-server", "")]
    assert web.called == ["initialize"]


async def test_messages_are_sent_to_no_other_host() -> None:
    other = Web({})
    async with serving(other) as away:
        web = EventServer(f"http://127.0.0.1:{away}/messages", {"initialize": INFO})
        async with serving(web) as port:
            result = await ask(port)
    assert other.connections == 0
    assert result.elsewhere == {f"http://127.0.0.1:{away}/messages": "a page"}
    assert [one.product for one in result.observations] == ["mcp-server"]


@pytest.mark.parametrize(
    ("path", "header", "everywhere", "named"),
    [
        ("/mcp", METADATA, False, True),
        ("/sse", METADATA.replace('"', ""), False, True),
        ("/", METADATA, False, False),
        ("/", METADATA.replace('resource"', 'resource/mcp"'), False, True),
        ("/mcp", METADATA, True, False),
        ("/mcp", "Bearer", False, False),
    ],
)
async def test_a_server_behind_oauth(path: str, header: str, everywhere: bool, named: bool) -> None:
    class Guarded(Web):
        def answer(self, method: str, asked: str, head: str, body: bytes) -> bytes:
            self.pages = {asked: (401, {"WWW-Authenticate": header}, "")}
            return super().answer(method, asked if everywhere or asked == path else "", head, body)

    async with serving(Guarded({})) as port:
        result = await ask(port)
    assert [one.product for one in result.observations] == ["mcp-server"] * named
    assert not result.findings
    if named:
        assert "resource_metadata" in result.observations[0].proof
