"""The session with one host: what was planned is sent once, within limits, and recorded."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit

from buttress import __version__
from buttress.files.shown_url import without_keys
from buttress.live.connection import ExchangeError, HostConnection, raw_exchange
from buttress.live.limits import Limits
from buttress.live.pace import Pace
from buttress.live.scope import Endpoint
from buttress.protocols.live import NO_VALUES, LiveRequest, Reply

ROOT: Final = LiveRequest("GET", "/")
RAW: Final = "TCP"  # a method that is none of HTTP: the body is sent as it is
_AGENT: Final = f"buttress/{__version__}"
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_HOPS: Final = 10
_NEEDS_TLS: Final = (b"HTTP request was sent to HTTPS port", b"HTTP request to an HTTPS server")
_SECRET_HEADERS: Final = frozenset(("authorization", "cookie", "mcp-session-id"))


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent: when (seconds since 1970), for how long, and what came back.

    ``status`` is 0 where there was no answer; ``note`` says why, or why the body was cut.
    """

    request: LiveRequest
    url: str
    time: float
    seconds: float
    status: int
    bytes: int
    note: str = ""


@dataclass
class HostSession:
    """Implements ``protocols.live.Session`` for an endpoint; see there.

    ``planned`` are the requests that may be sent. With ``follow`` redirects and links to other
    paths of the same host and port may be followed as well. ``elsewhere`` are addresses to which
    answers pointed and that were not contacted; ``ended`` says why the host was given up.
    """

    endpoint: Endpoint
    limits: Limits
    planned: Collection[LiveRequest]
    overall: Pace
    follow_links: bool = False
    sent: list[Sent] = field(default_factory=list)
    elsewhere: dict[str, str] = field(default_factory=dict)
    ended: str = ""
    scheme: str = ""
    not_sent: int = 0

    def __post_init__(self) -> None:
        self._connection: HostConnection | None = None
        self._replies: dict[LiveRequest, Reply | None] = {}
        self._pace = Pace(self.limits.host_rate)
        self._failures = 0
        self._late = 0
        self._waited = 0.0
        self._received = 0

    @property
    def url(self) -> str:
        """The URL that requests go below."""
        return self.endpoint.url(self.scheme or self.endpoint.schemes[0])

    @property
    def reached(self) -> bool:
        """Whether the host gave an answer."""
        return any(one.status for one in self.sent)

    @property
    def speaks_http(self) -> bool:
        """Whether an answer was HTTP."""
        return bool(self.scheme)

    async def ask(
        self, request: LiveRequest, values: Mapping[str, str] = NO_VALUES
    ) -> Reply | None:
        """See ``protocols.live.Session``."""
        if request not in self._replies:
            if request not in self.planned:
                raise PermissionError(f"{request.method} {request.path} was not planned")
            self._replies[request] = await self._first(request, values)
        return self._replies[request]

    async def ask_following(self, request: LiveRequest) -> Reply | None:
        """As ``ask``; redirects on the same host and port are followed where links may be."""
        reply = await self.ask(request)
        for _ in range(_HOPS):
            if not self.follow_links or reply is None or reply.status not in _REDIRECTS:
                break
            reply = await self.follow(reply.header("location"))
        return reply

    async def follow(self, path: str) -> Reply | None:
        """See ``protocols.live.Session``."""
        request = self._here(path, "a link")
        if request is None or (request not in self.planned and not self.follow_links):
            return None
        if request not in self._replies:
            self._replies[request] = await self._first(request, NO_VALUES)
        return self._replies[request]

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _first(self, request: LiveRequest, values: Mapping[str, str]) -> Reply | None:
        """Send a request; the first of all finds out whether the host speaks TLS."""
        if request.method == RAW:
            return await self._raw(request)
        if self.scheme:
            return await self._send(request, values, self.scheme)
        if self.ended:
            self.not_sent += 1
            return None
        schemes = self.endpoint.schemes
        for scheme in schemes:
            reply = await self._send(request, values, scheme)
            if reply is None or (scheme == "http" and reply.status == 400 and _wants_tls(reply)):
                self.close()
                if self.ended:
                    break
                continue
            self.scheme = scheme
            self._failures = 0
            return reply
        self.ended = self.ended or (self.sent[-1].note if self.sent else "no answer")
        return None

    async def _send(
        self, request: LiveRequest, values: Mapping[str, str], scheme: str
    ) -> Reply | None:
        if self.ended:
            self.not_sent += 1
            return None
        await self.overall.wait()
        await self._pace.wait()
        began, clock = time.time(), time.perf_counter()
        reply, note = None, ""
        try:
            reply = await self._exchange(request, values, scheme)
        except ExchangeError as error:
            note = str(error)
            self._failed(timed_out=error.timed_out)
        seconds = time.perf_counter() - clock
        self._waited += seconds
        if reply is not None:
            self._failures = 0
            self._received += len(reply.body)
            note = reply.cut
            if note:
                self._late += note.endswith("in time")
            self._redirect(reply)
        self.sent.append(
            Sent(
                request,
                f"{self.endpoint.url(scheme)}{without_keys(request.path)}",
                began,
                round(seconds, 4),
                reply.status if reply else 0,
                len(reply.body) if reply else 0,
                note,
            )
        )
        self._judge_patience()
        return reply

    async def _exchange(
        self, request: LiveRequest, values: Mapping[str, str], scheme: str
    ) -> Reply | None:
        data = self._bytes(request, values)
        if self._connection is None or not self._connection.usable:
            await self._connect(scheme)
            return await self._over_connection(data)
        try:
            return await self._over_connection(data)
        except ExchangeError as error:
            # The host closed an idle connection: not an answer to this request.
            if str(error) not in ("the connection was closed", "closed without an answer"):
                raise
        await self._connect(scheme)
        return await self._over_connection(data)

    async def _over_connection(self, data: bytes) -> Reply | None:
        if self._connection is None:
            raise ExchangeError("the connection was closed")
        reader = await self._connection.exchange(data)
        return reader.reply()

    async def _connect(self, scheme: str) -> None:
        self.close()
        self._connection = await HostConnection.connect(
            self.endpoint.host, self.endpoint.port, self.limits, tls=scheme == "https"
        )

    async def _raw(self, request: LiveRequest) -> Reply | None:
        if self.endpoint.scheme or self.scheme or self._late:
            return None  # it speaks HTTP, or is silent
        await self.overall.wait()
        began, clock = time.time(), time.perf_counter()
        reply, note = None, ""
        try:
            received = await raw_exchange(
                self.endpoint.host, self.endpoint.port, request.body, self.limits
            )
            reply = Reply(200, (), received)
        except ExchangeError as error:
            note = str(error)
        seconds = round(time.perf_counter() - clock, 4)
        url = f"tcp://{self.endpoint.shown}"
        size = len(reply.body) if reply else 0
        self.sent.append(Sent(request, url, began, seconds, 1 if reply else 0, size, note))
        return reply

    def _bytes(self, request: LiveRequest, values: Mapping[str, str]) -> bytes:
        given = {name.lower(): value for name, value in request.headers}
        lines = [f"{request.method} {self.endpoint.base}{request.path} HTTP/1.1"]
        if "host" not in given:
            lines.append(f"Host: {self.endpoint.shown}")
        lines.append(f"User-Agent: {_AGENT}")
        if "accept" not in given:
            lines.append("Accept: */*")
        lines.append("Accept-Encoding: gzip")
        for name, value in request.headers:
            lines.append(f"{name}: {_filled(value, values)}")
        if request.body or request.method == "POST":
            lines.append(f"Content-Length: {len(request.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + request.body

    def _redirect(self, reply: Reply) -> None:
        if reply.status in _REDIRECTS and (location := reply.header("location")):
            self._here(location, "a redirect")

    def _here(self, link: str, what: str) -> LiveRequest | None:
        """The request that a link leads to on this host and port; else it is noted as elsewhere."""
        base = self.url
        try:
            parts = urlsplit(urljoin(f"{base}/", link.strip()))
            own = urlsplit(base)
            same = (parts.hostname, parts.port or _default_port(parts.scheme)) == (
                own.hostname,
                own.port or _default_port(own.scheme),
            )
        except ValueError:
            return None
        if not same or parts.scheme != own.scheme:
            if len(self.elsewhere) < 50:
                shown = f"{parts.scheme}://{parts.netloc}{parts.path}"[:300]
                self.elsewhere.setdefault(shown, what)
            return None
        path = parts.path or "/"
        if not path.startswith(f"{self.endpoint.base}/"):
            return None
        path = path.removeprefix(self.endpoint.base)
        text = f"{path}?{parts.query}" if parts.query else path
        if any(ord(one) <= 32 or ord(one) > 126 for one in text):
            return None
        return LiveRequest("GET", text)

    def _failed(self, *, timed_out: bool) -> None:
        self.close()
        self._failures += 1
        self._late += timed_out

    def _judge_patience(self) -> None:
        """End the session with a host that wastes time or floods."""
        if self._late >= 2:
            self.ended = "two answers were not there in time"
        elif self._failures >= self.limits.failures:
            self.ended = f"{self._failures} requests in a row failed: {self.sent[-1].note}"
        elif self._waited > self.limits.waiting_s:
            self.ended = f"it kept us waiting for more than {self.limits.waiting_s:g} s"
        elif self._received > self.limits.host_bytes:
            self.ended = f"it sent more than {self.limits.host_bytes:,} bytes"


def shown_headers(request: LiveRequest) -> dict[str, str]:
    """The headers of a request, with a mark in place of secrets."""
    return {
        name: "[secret]" if name.lower() in _SECRET_HEADERS else value
        for name, value in request.headers
    }


def _filled(value: str, values: Mapping[str, str]) -> str:
    if "{" not in value:
        return value
    for name, text in values.items():
        value = value.replace(f"{{{name}}}", "".join(c for c in text if " " <= c <= "~"))
    return value


def _wants_tls(reply: Reply) -> bool:
    return any(text in reply.body for text in _NEEDS_TLS)


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
