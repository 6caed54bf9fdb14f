"""The record of a request that was sent, and its form as bytes and for people."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final
from urllib.parse import quote

from buttress import __version__
from buttress.live.connection import LATE, ExchangeError
from buttress.live.scope import Endpoint
from buttress.protocols.live import LiveRequest, Reply

DNS: Final = "DNS"  # a method that is none of HTTP: the name of the host is looked up
KEY_NOT_SENT: Final = "the key was not sent: "  # begins the note: the request was not sent
NO_ANSWER_KNOWN: Final = "no answer is recorded: the survey was cut off"
_SHOWN: Final = 2_000  # bytes of a body
_ZONE: Final = re.compile(r"%[^\]]*(?=\])")  # of an address of this machine's links (RFC 6874)
_AGENT: Final = f"buttress/{__version__}"
_SECRET_HEADERS: Final = frozenset(
    ("authorization", "cookie", "mcp-session-id", "x-api-key", "api-key", "proxy-authorization")
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent: when (seconds since 1970), for how long, and what came back.

    ``status`` is 0 where there was no answer, 1 for an answer that is not HTTP; ``note`` says why
    there was none, or why the body was cut, or which addresses a name has. The URL is ``place``
    with ``path``: apart they are shared by all requests to a host, and by all to a path.
    """

    request: LiveRequest
    place: str
    time: float
    seconds: float
    status: int
    bytes: int
    note: str = ""
    path: str = ""

    @property
    def url(self) -> str:
        """The URL."""
        return self.place + self.path

    @property
    def answered(self) -> bool:
        """Whether the host itself gave an answer, which was there in time or cut at a limit."""
        return bool(self.status) and self.request.method != DNS and not self.note.endswith(LATE)


class Recording:
    """Puts what is sent within it into a list, whatever comes of it; ``ExchangeError`` ends it.

    ``before`` is told of each sending before it begins, so that it is known through a kill.
    ``reply`` is the answer, to be set by the caller; ``timed_out`` says that there was silence,
    ``untrusted`` that the host's certificate does not prove its name.
    """

    def __init__(
        self,
        kept: list[Sent],
        request: LiveRequest,
        place: str,
        path: str,
        before: Callable[[Sent], None],
    ) -> None:
        self._kept, self._request, self._before = kept, request, before
        self._place, self._path = sys.intern(place), path
        self.reply: Reply | None = None
        self.note = ""
        self.timed_out = False
        self.untrusted = False
        self._began, self._clock = time.time(), time.perf_counter()

    def begin(self) -> None:
        """It is sent after this call; the time counts from now."""
        self._began, self._clock = time.time(), time.perf_counter()
        self._before(self._sent(0.0, 0, 0, NO_ANSWER_KNOWN))

    def failed(self, why: str) -> None:
        """It was sent, and there was no answer; what follows is sent once more."""
        self._add(why)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if isinstance(error, ExchangeError):
            self.reply, self.timed_out = None, error.timed_out
            self.untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
            self._add(KEY_NOT_SENT * self.untrusted + str(error))
            return True
        if error is None or self.reply is not None:
            self._add(self.note or (self.reply.cut if self.reply else ""))
        return False

    def _add(self, note: str) -> None:
        reply = self.reply
        seconds = round(time.perf_counter() - self._clock, 4)
        status, size = (reply.status, len(reply.body)) if reply else (0, 0)
        self._kept.append(self._sent(seconds, status, size, note))

    def _sent(self, seconds: float, status: int, size: int, note: str) -> Sent:
        return Sent(
            self._request, self._place, self._began, seconds, status, size, note, self._path
        )


def shown_headers(request: LiveRequest) -> dict[str, str]:
    """The headers of a request, with a mark in place of secrets."""
    return {
        name: "[secret]" if name.lower() in _SECRET_HEADERS else value
        for name, value in request.headers
    }


def shown_body(request: LiveRequest) -> str:
    """The body of a request, or what is said where it is not HTTP."""
    if request.script is not None:
        return request.script.title
    text = request.body[:_SHOWN].decode("utf-8", "replace")
    left = len(request.body) - _SHOWN
    return f"{text}… and {left:,} bytes more" if left > 0 else text


def request_bytes(
    request: LiveRequest, endpoint: Endpoint, values: Mapping[str, str], key: str = ""
) -> bytes:
    """The request as HTTP/1.1; ``values`` stand for ``{name}`` in it, ``key`` for ``{key}``."""
    given = {name.lower(): value for name, value in request.headers}
    lines = [f"{request.method} {endpoint.below(filled_path(request, values))} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"Host: {_ZONE.sub('', endpoint.shown)}")
    lines.append(f"User-Agent: {_AGENT}")
    if "accept" not in given:
        lines.append("Accept: */*")
    lines.append("Accept-Encoding: gzip")
    in_headers = {**values, "key": key} if key else values
    for name, value in request.headers:
        lines.append(f"{name}: {_filled(value, in_headers)}")
    body = request.body
    for name, text in values.items():
        body = body.replace(f"{{{name}}}".encode(), json.dumps(text)[1:-1].encode())
    if body or request.method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def used_values(request: LiveRequest, values: Mapping[str, str]) -> tuple[str, ...]:
    """Those of ``values`` that have a place in the request."""
    if not values:
        return ()
    text = " ".join((request.path, request.body.decode("latin-1"), *dict(request.headers).values()))
    return tuple(value for name, value in values.items() if f"{{{name}}}" in text)


def filled_path(request: LiveRequest, values: Mapping[str, str]) -> str:
    """The path with ``values``, which can't leave their place in it."""
    path = request.path
    if "{" in path:
        for name, text in values.items():
            path = path.replace(f"{{{name}}}", quote(text, safe=""))
    return path


def _filled(value: str, values: Mapping[str, str]) -> str:
    if "{" not in value:
        return value
    for name, text in values.items():
        value = value.replace(f"{{{name}}}", "".join(c for c in text if " " <= c <= "~"))
    return value
