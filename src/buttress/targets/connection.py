"""One HTTP client for all targets behind a URL: sends, reads, and tells what went wrong."""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import socket
import ssl
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from buttress.errors import InputError
from buttress.files.shown_url import without_keys
from buttress.targets.base import TargetError
from buttress.targets.completion import one_line
from buttress.targets.content_coding import ACCEPTED, BODY_LIMIT, decoded
from buttress.targets.secrets import Secrets

_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]+")
_CERTIFICATE: Final = (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError)


@dataclass(frozen=True, slots=True)
class ServerReply:
    """What a server sent. ``latency_s`` is until the last byte; ``location`` of a redirect."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    latency_s: float

    @property
    def content_type(self) -> str:
        """Media type without parameters, lower-case."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text: in UTF-8 where it is that, else as its Content-Type says."""
        return as_text(self.body, self.headers.get("Content-Type", ""))


def as_text(body: bytes, content_type: str) -> str:
    """Bytes as text.

    UTF-8 goes first, because many servers name a charset that they don't use, and text in another
    one is hardly ever valid UTF-8. What can't be decoded becomes U+FFFD.
    """
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    match = re.search(r"charset=\"?([\w.:-]+)", content_type, re.IGNORECASE)
    named = match.group(1) if match else ""
    guessed = "cp1252" if _western(body) else "gb18030"
    for charset in (named, guessed):
        try:
            codecs.lookup(charset)
            return body.decode(charset)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return body.decode("utf-8", "replace")


def _western(body: bytes) -> bool:
    """Whether letters beyond ASCII stand alone, as in Western languages.

    In encodings of Chinese they stand two by two.
    """
    runs = _BEYOND_ASCII.findall(body)
    return sum(len(run) == 1 for run in runs) > len(runs) / 2


def usable_url(value: Any, field: str, expected: str = "http(s)://HOST[:PORT]/…") -> URL:
    """``value`` as an absolute HTTP URL.

    Raises:
        InputError: it is none, or holds a password.
    """
    try:
        url = URL(value)
        usable = url.scheme in {"http", "https", "ws", "wss"} and bool(url.host)
        usable = usable and url.port is not None
    except (ValueError, TypeError):
        usable = False
    if not usable:
        shown = without_keys(str(value))
        raise InputError(f"'{shown}' is not a URL", field=field, expected=expected)
    if url.user or url.password:
        raise InputError("a URL with a password in it", field=field, expected="a header")
    return url


def slash_or_scheme(asked: URL, location: str) -> URL | None:
    """Where a redirect points, if it is the same place but for a slash at the end or TLS."""
    try:
        place = asked.join(URL(location))
    except ValueError:
        return None
    same_port = place.port == asked.port or (asked.scheme, place.scheme) == ("http", "https")
    same_path = place.path.rstrip("/") == asked.path.rstrip("/")
    if place == asked or place.host != asked.host or not same_port or not same_path:
        return None
    return place


class Connection:
    """A session with keep-alive to one host.

    Redirects are not followed: they would take keys elsewhere. Cookies are not kept.
    """

    def __init__(
        self,
        url: URL,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        secrets: Secrets,
    ) -> None:
        self._url = url
        self._headers = CIMultiDict({"Accept-Encoding": ACCEPTED})
        self._headers.update(headers)
        self.timeout_s = timeout_s
        self._secrets = secrets
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """The session, opened at the first use. Honours the proxy variables of the environment."""
        if self._session is None:
            proxies = urllib.request.getproxies()
            host = self._url.host or ""
            scheme = {"ws": "http", "wss": "https"}.get(self._url.scheme, self._url.scheme)
            proxy = None if urllib.request.proxy_bypass(host) else proxies.get(scheme)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self.timeout_s),
                headers=self._headers,
                auto_decompress=False,  # by the header alone, which is wrong at times
                proxy=proxy,
            )
        return self._session

    async def send(
        self,
        method: str,
        url: URL,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ServerReply:
        """Send a request and read the whole reply, whatever its status.

        Raises:
            TargetError: there is no reply; a timeout counts as overload.
        """
        start = time.perf_counter()
        try:
            async with self.session().request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                codings = response.headers.get("Content-Encoding", "")
                received = decoded(await _read(response), codings)
                return ServerReply(
                    response.status, response.headers, received, time.perf_counter() - start
                )
        except TimeoutError:
            raise TargetError(
                f"no answer within {self.timeout_s:g} s", retry=True, timed_out=True
            ) from None
        except Exception as error:
            raise self.failure(error) from None

    def failure(self, error: Exception) -> TargetError:
        """What a failed exchange means. Anything but an error of the network is raised again."""
        if isinstance(error, TargetError):
            return error
        said = self._secrets.hide(one_line(str(error)) or type(error).__name__)
        if isinstance(
            error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError
        ):
            return TargetError(
                f"{said}; SSL_CERT_FILE names the file of a certificate authority of your own",
                retry=False,
                fatal=True,
            )
        if isinstance(error, aiohttp.ClientConnectorSSLError) and "WRONG_VERSION" in said:
            return TargetError(
                f"{said}; it speaks no TLS: its URL begins with http://", retry=False, fatal=True
            )
        if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
            return TargetError(f"not a usable URL: {said}", retry=False, fatal=True)
        if isinstance(error, aiohttp.ClientResponseError) and not isinstance(
            error, aiohttp.ClientHttpProxyError | aiohttp.WSServerHandshakeError
        ):
            fault = self._secrets.hide(one_line(error.message).rstrip(" ^"))
            return TargetError(
                f"its reply breaks the rules of HTTP: {fault}",
                retry=True,
                fatal=True,
                doubtful=True,
            )
        if isinstance(error, aiohttp.ClientConnectorError):  # no question reached it
            said = self._secrets.hide(_unreachable(error)) or said
            return TargetError(f"connection failed: {said}", retry=True, fatal=True, unreached=True)
        if isinstance(error, aiohttp.ClientError | OSError | asyncio.IncompleteReadError):
            return TargetError(f"connection failed: {said}", retry=True, fatal=True, doubtful=True)
        raise error

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _unreachable(error: aiohttp.ClientConnectorError) -> str:
    """The host, and why nobody reaches it as the operating system says it; "" where it does not."""
    number, why = error.os_error.errno, error.os_error.strerror
    if not isinstance(error.os_error, socket.gaierror) and number is not None and number > 0:
        why = os.strerror(number)
    return f"{error.host}:{error.port}: {one_line(why)}" if why else ""


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, unless it is beyond all reason."""
    if response.content_length is not None and response.content_length <= BODY_LIMIT:
        return await response.read()
    received = bytearray()
    async for chunk in response.content.iter_any():
        received += chunk
        if len(received) > BODY_LIMIT:
            raise TargetError(f"the answer is larger than {BODY_LIMIT} bytes", retry=False)
    return bytes(received)
