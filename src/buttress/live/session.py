"""The session with one host: what was planned is sent once, within limits, and recorded."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urljoin, urlsplit

from buttress.files.shown_url import without_keys
from buttress.live.addresses import is_address, look_up
from buttress.live.client_certificate import with_certificate
from buttress.live.connection import (
    ExchangeError,
    HostConnection,
    converse,
    raw_exchange,
    unverified_tls,
    verified_tls,
)
from buttress.live.limits import Limits
from buttress.live.pace import Pace
from buttress.live.patience import Patience
from buttress.live.response import NO_HTTP, ResponseReader
from buttress.live.scope import Endpoint
from buttress.live.sent import (
    DNS,
    Recording,
    Sent,
    filled_path,
    request_bytes,
    used_values,
)
from buttress.protocols.live import ANY_PATH, NO_VALUES, LiveRequest, Reply
from buttress.targets.event_stream import data as event_data

ROOT: Final = LiveRequest("GET", "/")
RAW: Final = "TCP"  # a method that is none of HTTP: the body is sent as it is
TLS: Final = "TLS"  # a method that is none of HTTP: its script is followed
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_HOPS: Final = 10
_OVER: Final = {"ws": "http", "wss": "https"}
_NONE: Final = "no answer"
_VERIFIED: Final = "verified"
_CERTIFIED: Final = "certified"
_NEEDS_TLS: Final = (b"HTTP request was sent to HTTPS port", b"HTTP request to an HTTPS server")


@dataclass
class HostSession:
    """Implements ``protocols.live.Session`` for an endpoint; see there.

    ``planned`` are the requests that may be sent. With ``follow`` redirects and links to other
    paths of the same host and port may be followed as well. ``keys`` are those of users by name.
    ``before`` is told of each sending before it begins. ``elsewhere`` are addresses to which
    answers pointed and that were not contacted; ``ended`` says why the host was given up.
    """

    endpoint: Endpoint
    limits: Limits
    planned: Collection[LiveRequest]
    overall: Pace
    follow_links: bool = False
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    before: Callable[[Sent], None] = lambda _: None
    sent: list[Sent] = field(default_factory=list)
    elsewhere: dict[str, str] = field(default_factory=dict)
    ended: str = ""
    scheme: str = ""
    not_sent: int = 0

    def __post_init__(self) -> None:
        self._connections: dict[str, HostConnection] = {}
        self._replies: dict[tuple[LiveRequest, tuple[str, ...]], Reply | None] = {}
        self._pace = Pace(self.limits.host_rate)
        self._patience = Patience(self.limits)
        self._addresses: Sequence[str] = ()

    @property
    def host(self) -> str:
        """See ``protocols.live.Session``."""
        return self.endpoint.host

    @property
    def answers(self) -> Mapping[LiveRequest, Reply]:
        """See ``protocols.live.Session``."""
        return {one: reply for (one, _), reply in self._replies.items() if reply is not None}

    @property
    def url(self) -> str:
        """The URL that requests go below."""
        return self.endpoint.url(self.scheme or self.endpoint.schemes[0])

    def at(self, path: str) -> str:
        """See ``protocols.live.Session``."""
        return self.endpoint.url(self.scheme or self.endpoint.schemes[0], path)

    @property
    def reached(self) -> bool:
        """Whether the host gave an answer."""
        return any(one.answered for one in self.sent)

    async def ask(
        self, request: LiveRequest, values: Mapping[str, str] = NO_VALUES
    ) -> Reply | None:
        """See ``protocols.live.Session``."""
        if (request, used_values(request, values)) not in self._replies:
            self._check_planned(request)
        return await self._once(request, values)

    async def hold_open(self, request: LiveRequest, values: Mapping[str, str], count: int) -> int:
        """See ``protocols.live.Session``."""
        self._check_planned(request)
        if not self.scheme or self._hopeless or not self._patience.affords(count):
            self.not_sent += count
            return 0
        replies = await self._apart([(request, values)] * count, leave_open=True)
        return sum(one is not None and one.status == 200 for one in replies)

    async def ask_at_once(
        self, asked: Sequence[tuple[LiveRequest, Mapping[str, str]]]
    ) -> list[Reply | None]:
        """See ``protocols.live.Session``."""
        for request, _ in asked:
            self._check_planned(request)
        if not self.scheme or self._hopeless or not self._patience.affords(len(asked)):
            self.not_sent += len(asked)
            return [None] * len(asked)
        return await self._apart(asked, leave_open=False)

    async def _apart(
        self, asked: Sequence[tuple[LiveRequest, Mapping[str, str]]], *, leave_open: bool
    ) -> list[Reply | None]:
        """Send all at the same time, each over a connection of its own."""
        opened: list[HostConnection] = []

        async def send(request: LiveRequest, values: Mapping[str, str]) -> Reply | None:
            data = self._bytes(request, values)
            with self._record(request, values, self.scheme) as record:
                await self._turn()
                record.begin()
                connection = await self._connected(self._tls(self._kind(request, self.scheme)))
                opened.append(connection)
                record.reply = (await connection.exchange(data, leave_open=leave_open)).reply()
            return record.reply

        try:
            return await asyncio.gather(*(send(*one) for one in asked))
        finally:
            for one in opened:
                one.close()

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
        return await self._once(request, NO_VALUES)

    async def ask_at(
        self, request: LiveRequest, link: str, values: Mapping[str, str] = NO_VALUES
    ) -> Reply | None:
        """See ``protocols.live.Session``."""
        here = self._at_named(request, link)
        return None if here is None else await self._once(here, values)

    async def ask_over_events(
        self, opening: LiveRequest, asked: Sequence[tuple[LiveRequest, bool]]
    ) -> Reply | None:
        """See ``protocols.live.Session``."""
        self._check_planned(opening)
        if not self.scheme or self._hopeless or not await self._resolve():
            self.not_sent += 1
            return None
        connection: HostConnection | None = None
        reader: ResponseReader | None = None
        try:
            with self._record(opening, NO_VALUES, self.scheme) as record:
                await self._turn()
                record.begin()
                connection = await self._connected(self._tls(self._kind(opening, self.scheme)))
                reader = await connection.exchange(
                    self._bytes(opening, NO_VALUES), leave_open=True, events=True
                )
                record.reply = reader.reply()
            link = _named_by(record.reply)
            for request, answered in asked if link else ():
                here = self._at_named(request, link)
                if connection is None or here is None or await self._first(here, NO_VALUES) is None:
                    break
                if answered and (reader := await connection.next_event()).cut:
                    break
        except ExchangeError:
            pass  # the stream ended, or was silent: what came until then stands
        finally:
            if connection is not None:
                connection.close()
        return reader.reply() if reader is not None else None

    async def relay(
        self, method: str, link: str, headers: tuple[tuple[str, str], ...], body: bytes
    ) -> Reply | None:
        """See ``protocols.live.Session``."""
        here = self._here(link, "a page")
        if here is None or not self.follow_links:
            return None
        request = LiveRequest(method, here.path, headers, body, costs=True)
        return await self._first(request, NO_VALUES)

    def close(self) -> None:
        """Close the connections."""
        for one in self._connections.values():
            one.close()
        self._connections.clear()

    async def _once(self, request: LiveRequest, values: Mapping[str, str]) -> Reply | None:
        """The reply to a request, which is sent when it is first asked for."""
        key = request, used_values(request, values)
        if key not in self._replies:
            self._replies[key] = await self._first(request, values)
        return self._replies[key]

    async def _first(self, request: LiveRequest, values: Mapping[str, str]) -> Reply | None:
        """Send a request; the first of all finds out whether the host speaks TLS."""
        if request.method == RAW:
            return await self._raw(request)
        if request.script is not None:
            return await self._converse(request)
        if request.certificate:
            return None if self.scheme == "http" else await self._send(request, values, "https")
        if self.scheme:
            return await self._send(request, values, self.scheme)
        if self.ended:
            self.not_sent += 1
            return None
        schemes = self.endpoint.schemes
        before = len(self.sent)
        for scheme in schemes:
            reply = await self._send(request, values, scheme)
            if reply is None or (scheme == "http" and reply.status == 400 and _wants_tls(reply)):
                self.close()
                if self.ended:
                    break
                continue
            self.scheme = scheme
            self._patience.begin_again()
            return reply
        self.ended = self.ended or _reason(self.sent[before:])
        if not self._hopeless:
            self._patience.begin_again()
        return None

    async def _send(
        self, request: LiveRequest, values: Mapping[str, str], scheme: str
    ) -> Reply | None:
        if self._hopeless or (self.ended and not request.certificate):
            self.not_sent += 1
            return None
        if request.costs and not self._patience.affords():
            self.not_sent += 1
            return None
        if not await self._resolve():
            return None
        data = self._bytes(request, values)
        with self._record(request, values, scheme) as record:
            await self._turn()
            record.begin()
            record.reply = await self._exchange(data, self._kind(request, scheme), record)
        if record.reply is not None:
            self._redirect(record.reply)
        elif request.key and record.untrusted:
            return None  # the host is well: its certificate is not
        self._judge(request, record)
        return record.reply

    async def _exchange(self, data: bytes, kind: str, record: Recording) -> Reply | None:
        connection = self._connections.get(kind)
        if connection is not None and connection.usable:
            try:
                return (await connection.exchange(data)).reply()
            except ExchangeError as error:
                # The host closed an idle connection: not an answer to this request.
                if str(error) not in ("the connection was closed", "closed without an answer"):
                    raise
                record.failed(str(error))
            await self._turn()
            record.begin()
        if connection is not None:
            connection.close()
        connection = self._connections[kind] = await self._connected(self._tls(kind))
        return (await connection.exchange(data)).reply()

    async def _connected(self, tls: ssl.SSLContext | None) -> HostConnection:
        return await HostConnection.connect(
            self.endpoint.host, self._addresses, self.endpoint.port, self.limits, tls
        )

    def _kind(self, request: LiveRequest, scheme: str) -> str:
        """Which connection carries a request: keys go only to a host that proves its name."""
        if scheme == "https" and request.certificate:
            return _CERTIFIED
        return _VERIFIED if scheme == "https" and request.key else scheme

    def _tls(self, kind: str) -> ssl.SSLContext | None:
        made = {"https": unverified_tls, _VERIFIED: verified_tls, _CERTIFIED: with_certificate}
        return made[kind]() if kind in made else None

    def _bytes(self, request: LiveRequest, values: Mapping[str, str]) -> bytes:
        return request_bytes(request, self.endpoint, values, self.keys.get(request.key, ""))

    def _record(self, request: LiveRequest, values: Mapping[str, str], scheme: str) -> Recording:
        path = without_keys(filled_path(request, values))
        shared = request.path if path == request.path else path
        place = f"{scheme}://{self.endpoint.shown}"
        return self._recording(request, place, self.endpoint.below(shared))

    def _recording(self, request: LiveRequest, place: str, path: str = "") -> Recording:
        return Recording(self.sent, request, place, path, self.before)

    async def _converse(self, request: LiveRequest) -> Reply | None:
        """Follow a script over a connection of its own."""
        if self._hopeless or request.script is None:
            self.not_sent += 1
            return None
        if not await self._resolve():
            return None
        talk = request.script.begin(self.endpoint.host)
        with self._recording(request, f"tls://{self.endpoint.shown}") as record:
            await self._turn()
            record.begin()
            received = await converse(self._addresses, self.endpoint.port, talk, self.limits)
            record.reply = Reply(1, (), received)
        self._judge(request, record)
        return record.reply

    async def _raw(self, request: LiveRequest) -> Reply | None:
        if self.endpoint.scheme or self.scheme or self._hopeless or not await self._resolve():
            return None  # it speaks HTTP, or is silent to more than one way of asking
        with self._recording(request, f"tcp://{self.endpoint.shown}") as record:
            await self.overall.wait()
            record.begin()
            received = await raw_exchange(
                self._addresses, self.endpoint.port, request.body, self.limits
            )
            record.reply = Reply(1, (), received)
        return Reply(200, (), record.reply.body) if record.reply else None

    @property
    def _hopeless(self) -> bool:
        """Whether nothing is sent any more, handshakes neither."""
        return bool(self._patience.ended)

    def _judge(self, request: LiveRequest, record: Recording) -> None:
        last = self.sent[-1]
        if record.reply is None:
            self.close()
        self._patience.note(request, record.reply, last.seconds, last.note, late=record.timed_out)
        self.ended = self.ended or self._patience.ended

    async def _turn(self) -> None:
        await self.overall.wait()
        await self._pace.wait()

    async def _resolve(self) -> bool:
        """Look the name up, once for the session, so that it means one host all the time."""
        if self._addresses or is_address(self.endpoint.host):
            self._addresses = self._addresses or (self.endpoint.host,)
            return True
        recording = self._recording(LiveRequest(DNS, ""), f"dns://{self.endpoint.host}")
        with recording:
            recording.begin()
            self._addresses = await look_up(self.endpoint.host, self.limits.timeout_s)
            recording.reply = Reply(1, (), b"")
            recording.note = ", ".join(self._addresses)
        if not self._addresses:
            self.ended = self._patience.ended = self.sent[-1].note
        return bool(self._addresses)

    def _check_planned(self, request: LiveRequest) -> None:
        """Whether a request, or a script that covers its own, is planned.

        Raises:
            PermissionError: it is not.
        """
        script = request.script
        if request in self.planned or (
            script is not None
            and any(one.script.covers(script) for one in self.planned if one.script is not None)
        ):
            return
        raise PermissionError(f"{request.method} {request.path} was not planned")

    def _at_named(self, request: LiveRequest, link: str) -> LiveRequest | None:
        """A request that was planned for any path, at a path of this host; None if it is none."""
        if request.path != ANY_PATH:
            raise PermissionError(f"{request.method} {request.path} is one path")
        self._check_planned(request)
        here = self._here(link, "a page")
        return None if here is None else replace(request, path=here.path)

    def _redirect(self, reply: Reply) -> None:
        if reply.status in _REDIRECTS and (location := reply.header("location")):
            self._here(location, "a redirect")

    def _here(self, link: str, what: str) -> LiveRequest | None:
        """The request that a link leads to on this host and port; else it is noted as elsewhere."""
        base = self.url
        try:
            parts = urlsplit(urljoin(f"{base}/", link.strip()))
            own = urlsplit(base)
            scheme = _OVER.get(parts.scheme, parts.scheme)
            same = (parts.hostname, parts.port or _default_port(scheme)) == (
                own.hostname,
                own.port or _default_port(own.scheme),
            )
        except ValueError:
            return None
        if not same or scheme != own.scheme:
            if len(self.elsewhere) < 50:
                shown = without_keys(parts._replace(query="", fragment="").geturl())[:300]
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


def _wants_tls(reply: Reply) -> bool:
    return any(text in reply.body for text in _NEEDS_TLS)


def _reason(sent: Sequence[Sent]) -> str:
    """Why there was no answer; what is no HTTP says more than that there is no TLS either."""
    notes = [one.note for one in sent if one.note]
    return next((one for one in notes if one.startswith(NO_HTTP)), notes[-1] if notes else _NONE)


def _named_by(reply: Reply | None) -> str:
    """The address in the first event of a stream, empty where there is none."""
    if reply is None or reply.status != 200:
        return ""
    return next(iter(event_data(reply.text)), "").strip()


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
