"""Cookies, secrets in URLs, forms and WebSockets: what is bad is found, what is right is silent."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from buttress.live.limits import Limits
from buttress.live.scope import Endpoint
from buttress.live.survey import HostResult, survey
from buttress.probes.link import web as link_web
from buttress.probes.link.cookies import lacks, read_cookies
from buttress.probes.link.linked import named_sockets
from buttress.probes.link.page import read_page
from buttress.probes.link.probe import PROBE
from buttress.protocols.live import ANY_PATH, LiveContext, LiveRequest, Reply
from tests.live.servers import Web, serving

ROOT = LiveRequest("GET", "/")


def rules(
    headers: dict[str, str], body: str = "", *, tls: bool = True, status: int = 200,
    host: str = "shop.example",
) -> dict[str, str]:  # fmt: skip
    given = {"Content-Type": "text/html", **headers}
    if tls:
        given.setdefault("Strict-Transport-Security", "max-age=31536000")
    reply = Reply(status, tuple(given.items()), body.encode())
    base = f"http{'s' if tls else ''}://{host}"
    return {one.rule: one.severity for one in link_web.findings(base.__add__, host, {ROOT: reply})}


@pytest.mark.parametrize(
    ("header", "tls", "missing"),
    [
        ("session=1", True, ["Secure", "HttpOnly"]),
        ("session=1", False, ["HttpOnly"]),
        ("session=1; secure; HTTPONLY", True, []),
        ("theme=dark", True, ["Secure"]),
        ("theme=dark", False, []),
        ("csrftoken=1; Secure", True, []),
        ("XSRF-TOKEN=1; Secure", True, []),
        ("sid=1; Secure; HttpOnly; SameSite=None", True, ["SameSite=Lax or Strict"]),
        ("__Host-id=1", False, ["Secure", "HttpOnly", "Path=/"]),
        ("__Host-id=1; Path=/; Secure; HttpOnly", True, []),
        ("__Host-id=1; Path=/; Secure; HttpOnly; Domain=h", True, ["host of its own (Domain)"]),
        ("__Host-id=1; Path=/app; Secure; HttpOnly", True, ["Path=/"]),
        ("session=; Max-Age=0", True, []),
        ("session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", True, []),
        ("session=1; Max-Age=3600; Secure; HttpOnly", True, []),
        ("broken", True, ["Secure"]),
        ("session=1; Expires=never; Secure; HttpOnly", True, []),
    ],
)
def test_cookies(header: str, tls: bool, missing: list[str]) -> None:
    (cookie,) = read_cookies([("set-cookie", header)])
    assert lacks(cookie, tls=tls) == missing


def test_several_cookies_each_in_its_header() -> None:
    headers = [("Set-Cookie", "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT"), ("Set-Cookie", "b=2")]
    assert [one.name for one in read_cookies([*headers, ("X", "y")])] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<a href='/x?token=0123456789abcdef'>x</a>", {"secret-in-url": "medium"}),
        ("<a href='/x?api_key=your_key_here'>x</a>", {}),
        ("<a href='/x?token=abc'>x</a>", {}),
        ("<a href='/x?page=0123456789abcdef'>x</a>", {}),
        ("<a href='https://u:hunter22@h.example/'>x</a>", {"secret-in-url": "medium"}),
        ("<form><input type=password name=pw></form>", {"form-in-url": "medium"}),
        ("<form method=POST><input type=password name=pw></form>", {}),
        ("<form method=get><textarea name=prompt></textarea></form>", {"form-in-url": "low"}),
        ("<form method=get><input name=q></form>", {}),
        ("<script src='http://cdn.example/x.js'></script>", {"mixed-content": "medium"}),
        ("<script src='//cdn.example/x.js'></script>", {}),
        ("<a href='http://elsewhere.example/'>x</a>", {}),
        ("<form action='http://h/x' method=post></form>", {"mixed-content": "medium"}),
        ("<base href='http://h/'><script src='x.js'></script>", {"mixed-content": "medium"}),
        ("<base href='http://h/'><form method=post></form>", {}),
        ("<link rel=canonical href='http://h/'><link rel=alternate href='http://h/'>", {}),
        ("<link rel='alternate stylesheet' href='http://h/x.css'>", {"mixed-content": "medium"}),
        ("<meta http-equiv=Content-Security-Policy content='default-src *; "
         "upgrade-insecure-requests'><img src='http://h/x'>", {}),
        ("<meta name=Referrer content=unsafe-url>", {"referrer-policy": "low"}),
        ("<meta name=referrer content=no-referrer>", {}),
        ("<form method=post><input type=password name=p><button formmethod=GET></form>",
         {"form-in-url": "medium"}),
        ("<form><input type=password name=p><input type=submit formmethod=post></form>", {}),
        ("<form><input type=password name=p><button type=button>x</button></form>",
         {"form-in-url": "medium"}),
    ],
)  # fmt: skip
def test_pages(body: str, expected: dict[str, str]) -> None:
    assert rules({}, body) == expected


@pytest.mark.parametrize(
    ("headers", "tls", "status", "host", "expected"),
    [
        ({"Strict-Transport-Security": "max-age=100"}, True, 200, "h", {"hsts-missing": "low"}),
        ({"Strict-Transport-Security": "nonsense"}, True, 200, "h", {"hsts-missing": "low"}),
        ({"Content-Security-Policy": "default-src 'self'"}, True, 200, "h", {}),
        ({"Referrer-Policy": "unsafe-url"}, True, 200, "h", {"referrer-policy": "low"}),
        ({"Referrer-Policy": "unsafe-url, no-referrer"}, True, 200, "h", {}),
        ({"Location": "http://h/x"}, True, 302, "h", {"redirect-to-plain": "medium"}),
        ({"Location": "https://h/x"}, True, 302, "h", {}),
        ({"Location": "https://h/"}, False, 301, "h", {}),
        ({"Location": "/login"}, False, 302, "h", {"no-tls": "medium"}),
        ({}, False, 200, "h", {"no-tls": "medium"}),
        ({}, False, 200, "127.0.0.2", {"no-tls": "info"}),
        ({}, False, 200, "localhost", {"no-tls": "info"}),
        ({"WWW-Authenticate": "Basic realm=x"}, False, 401, "h",
         {"credentials-without-tls": "high"}),
        ({"WWW-Authenticate": "Basic realm=x"}, True, 401, "h", {}),
    ],
)  # fmt: skip
def test_headers(
    headers: dict[str, str], tls: bool, status: int, host: str, expected: dict[str, str]
) -> None:
    assert rules(headers, tls=tls, status=status, host=host) == expected


def test_a_password_form_over_plain_http() -> None:
    body = "<form method=post><input type=password name=p></form>"
    assert rules({}, body, tls=False) == {"credentials-without-tls": "high"}


def test_what_a_policy_upgrades_is_not_mixed() -> None:
    body = "<script src='http://cdn.example/x.js'></script>"
    headers = {"Content-Security-Policy": "script-src *; Upgrade-Insecure-Requests"}
    assert rules(headers, body) == {}
    assert rules({"Content-Security-Policy": "script-src *"}, body) == {"mixed-content": "medium"}


def test_markup_without_end_is_read_in_bounds() -> None:
    page = read_page("<form>" + "<input name=x>" * 50_000 + "<![" + "<a href=x>" * 9)
    assert len(page.forms[0].fields) <= 2_000


@asynccontextmanager
async def websocket(allowed: str, *, token: bool = False) -> AsyncIterator[int]:
    """An application with a WebSocket at /ws; ``allowed`` are origins, ``*`` all of them."""

    async def handle(request: web.Request) -> web.StreamResponse:
        own = f"http://{request.headers['Host']}"
        if allowed != "*" and request.headers.get("Origin") != own:
            raise web.HTTPForbidden
        if token and "Authorization" not in request.headers:
            raise web.HTTPUnauthorized
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    async def root(request: web.Request) -> web.Response:
        del request
        return web.Response(text="a chat")

    application = web.Application()
    application.router.add_get("/ws", handle)
    application.router.add_get("/", root)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def ask(port: int) -> HostResult:
    (result,) = await survey(
        [Endpoint("127.0.0.1", port, "http")], [PROBE], LiveContext(), Limits(timeout_s=5)
    )
    assert not result.failed, result.failed
    return result


@pytest.mark.parametrize(
    ("allowed", "token", "expected"),
    [
        ("*", False, ["websocket-foreign-origin"]),
        ("own", False, ["websocket-open"]),
        ("own", True, []),
        ("*", True, []),
    ],
)
async def test_websockets(allowed: str, token: bool, expected: list[str]) -> None:
    async with websocket(allowed, token=token) as port:
        result = await ask(port)
    found = [one for one in result.findings if one.rule != "no-tls"]
    assert [one.rule for one in found] == expected
    assert all(one.location == f"ws://127.0.0.1:{port}/ws" for one in found)


async def test_a_101_without_the_right_key_is_no_websocket() -> None:
    page = (101, {"Upgrade": "websocket", "Sec-WebSocket-Accept": "wrong"}, "")
    async with serving(Web({"/": "x", "/ws": page})) as port:
        result = await ask(port)
    assert [one.rule for one in result.findings] == ["no-tls"]


async def test_no_tls_is_asked_of_what_was_named_as_plain_http() -> None:
    async with serving(Web({"/": "x"})) as port:
        result = await ask(port)
    assert {one.request.method for one in result.sent} == {"GET"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('new WebSocket("/live/x")', "ws://h:1/live/x"),
        ('new WebSocket("chat")', "ws://h:1/a/chat"),
        ("new WebSocket('wss://other.example/x')", "wss://other.example/x"),
        ('new WebSocket("ws://h:1/ws/" + id)', "ws://h:1/ws/1"),
        (
            "let u=`${location.protocol==='https:'?'wss:':'ws:'}//${location.host}/ws/chat/${id}`",
            "ws://h:1/ws/chat/1",
        ),
        (
            '("https:"==p?"wss://":"ws://")+window.location.host+"/api/stream"',
            "ws://h:1/api/stream",
        ),
        ('"".concat(s?"wss":"ws","//").concat(location.host,"/deep/ws")', "ws://h:1/deep/ws"),
        ('b=o.replace(/^http/,"ws");new WebSocket(b+"/q?x=1")', "ws://h:1/q?x=1"),
        ("`ws://${host}:${port}/x`", "ws://h:1/x"),
        ("`ws://${location.hostname}:8001/x`", "ws://h:8001/x"),
        ('<div hx-ext="ws" ws-connect="/chatroom">', "ws://h:1/chatroom"),
        ('<div hx-ws="connect:/room">', "ws://h:1/room"),
        ('new LiveSocket("/live", Socket)', "ws://h:1/live/websocket"),
        ('io("/",{path:"/ws/socket.io"})', "ws://h:1/ws/socket.io/?EIO=4&transport=websocket"),
        ("no socket at all: fetch('/api')", None),
        ("new WebSocket(address)", None),
    ],
)
def test_addresses_of_websockets_in_pages_and_scripts(text: str, named: str | None) -> None:
    assert list(dict.fromkeys(named_sockets("http://h:1/a/", text))) == ([named] if named else [])


@given(st.text(alphabet="ws:/\"'`${}()+.hostWebSocket \n", max_size=200))
def test_any_script_is_read(text: str) -> None:
    assert all(urlsplit(one).netloc for one in named_sockets("https://h/", text))


BUNDLE = "const s=new WebSocket(`${p}//${location.host}/rooms/live/${room}`)"


class Site(Web):
    """A page in a folder whose script opens a WebSocket; ``origin`` is the only one let in."""

    def __init__(self, **more: str) -> None:
        page = "<a href=/help>h</a><a href=/logout>l</a><a href=http://other.example/x>o</a>"
        html = {"Content-Type": "text/html"}
        super().__init__(
            {
                "/": (302, {"Location": "/app/"}, ""),
                "/app/": (200, html, f"{page}<script src=main.js></script>"),
                "/app/main.js": BUNDLE,
                "/help": (200, {**html, "Set-Cookie": "session=1"}, "help"),
                **more,
            }
        )

    def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
        key = re.search(r"Sec-WebSocket-Key: (\S+)", head, re.I)
        if path != "/rooms/live/1" or key is None:
            return super().answer(method, path, head, body)
        digest = hashlib.sha1(f"{key[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        accept = base64.b64encode(digest).decode()
        lines = ("HTTP/1.1 101 X", "Upgrade: websocket", f"Sec-WebSocket-Accept: {accept}", "", "")
        return "\r\n".join(lines).encode()


async def test_a_websocket_that_only_a_script_names_is_asked() -> None:
    web = Site()
    async with serving(web) as port:
        result = await ask(port)
    found = {one.rule: one.location for one in result.findings}
    base = f"127.0.0.1:{port}"
    assert found["websocket-foreign-origin"] == f"ws://{base}/rooms/live/1"
    assert found["cookie-attributes"] == f"http://{base}/help"
    assert ("GET", "/logout") not in web.seen
    planned = set(PROBE.plan(LiveContext()))
    named = {one.request for one in result.sent} - planned
    assert {one.path for one in named} == {"/app/", "/app/main.js", "/help", "/rooms/live/1"}
    assert {replace(one, path=ANY_PATH) for one in named} <= planned


async def test_a_websocket_of_another_host_or_port_is_recorded_and_not_asked() -> None:
    other = Site()
    async with serving(other) as away:
        script = f"new WebSocket('ws://127.0.0.1:{away}/rooms/live/1')"
        async with serving(Site(**{"/app/main.js": script})) as port:
            result = await ask(port)
    assert other.connections == 0
    assert result.elsewhere[f"ws://127.0.0.1:{away}/rooms/live/1"] == "a page"


@pytest.mark.parametrize(
    "location", ["http://[::/x", "ftp://127.0.0.1/x", "javascript:alert(1)", "//127.0.0.1:9/x", "/"]
)
async def test_redirects_to_what_is_not_asked(location: str) -> None:
    bad = "<a href='http://[x'>a</a><script src='http://[::/x'></script>"
    page = (200, {"Content-Type": "text/html"}, bad)
    for pages in ({"/": (302, {"Location": location}, "")}, {"/": page}):
        async with serving(Web(pages)) as port:
            result = await ask(port)
        assert result.reached
        assert {one.request.path for one in result.sent} <= {
            one.path for one in PROBE.plan(LiveContext())
        }
