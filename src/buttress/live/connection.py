"""A connection to one host: plain or TLS, one request at a time, each within its limits."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from functools import cache
from typing import Final, cast

from buttress.live.limits import Limits
from buttress.live.response import ResponseReader
from buttress.protocols.live import WireTalk

_CLOSED: Final = "the connection was closed"
_QUIET_S: Final = 0.3
LATE: Final = "no whole answer in time"


class ExchangeError(OSError):
    """No answer that can be used; the message says why. ``timed_out`` tells silence apart."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


@cache
def unverified_tls() -> ssl.SSLContext:
    """TLS that accepts any certificate and any version: what is there is to be seen, not trusted.

    Nothing secret is sent over it.
    """
    return new_unverified_tls()


def new_unverified_tls() -> ssl.SSLContext:
    """As ``unverified_tls``, to be added to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    return context


@cache
def verified_tls() -> ssl.SSLContext:
    """TLS to hosts that prove their name to the authorities of this machine: keys go over it."""
    return ssl.create_default_context()


async def raw_exchange(addresses: Sequence[str], port: int, data: bytes, limits: Limits) -> bytes:
    """Send bytes over a connection of their own, and what comes back until it is quiet.

    Raises:
        ExchangeError: no connection, or nothing came back in time.
    """
    writer: asyncio.StreamWriter | None = None
    received = bytearray()
    try:
        async with asyncio.timeout(limits.timeout_s):
            reader, writer = await _first_of(addresses, port)
            writer.write(data)
            while len(received) < limits.header_bytes:
                wait = _QUIET_S if received else limits.timeout_s
                part = await asyncio.wait_for(reader.read(limits.header_bytes), wait)
                if not part:
                    break
                received += part
    except TimeoutError:
        pass
    except OSError as error:
        raise ExchangeError(f"no connection: {error.strerror or error}") from None
    finally:
        if writer is not None:
            writer.transport.abort()
    if not received:
        raise ExchangeError("nothing came back", timed_out=True)
    return bytes(received[: limits.header_bytes])


async def converse(addresses: Sequence[str], port: int, talk: WireTalk, limits: Limits) -> bytes:
    """Lead a conversation over a connection of its own; returns all that the host sent.

    That the host closes the connection is an answer, an empty one where it said nothing before.

    Raises:
        ExchangeError: no connection, or the host was silent before the conversation was done.
    """
    writer: asyncio.StreamWriter | None = None
    received = bytearray()
    try:
        async with asyncio.timeout(limits.timeout_s):
            reader, writer = await _first_of(addresses, port)
            writer.write(talk.opening)
            while not talk.done and len(received) < limits.handshake_bytes:
                part = await reader.read(limits.handshake_bytes)
                if not part:
                    break
                received += part
                writer.write(talk.feed(part))
    except TimeoutError:
        raise ExchangeError(LATE, timed_out=True) from None
    except ConnectionRefusedError as error:
        raise ExchangeError(f"no connection: {error.strerror or error}") from None
    except ConnectionError:
        pass  # closed with a reset
    except OSError as error:
        raise ExchangeError(f"no connection: {error.strerror or error}") from None
    finally:
        if writer is not None:
            writer.transport.abort()
    return bytes(received)


async def _first_of(
    addresses: Sequence[str], port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for address in addresses[:-1]:
        try:
            return await asyncio.open_connection(address, port)
        except OSError:
            continue
    return await asyncio.open_connection(addresses[-1], port)


class HostConnection(asyncio.Protocol):
    """Made by ``connect``; ``exchange`` sends a request and returns what was read."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._done: asyncio.Future[None] | None = None
        self.usable = False

    @classmethod
    async def connect(
        cls,
        host: str,
        addresses: Sequence[str],
        port: int,
        limits: Limits,
        tls: ssl.SSLContext | None,
    ) -> HostConnection:
        """Open a connection to the first of ``addresses`` that takes it; ``host`` is its name.

        Raises:
            ExchangeError: refused, not reachable, no TLS where it was asked for, or no answer in
                ``limits.timeout_s``.
        """
        loop = asyncio.get_running_loop()

        async def opened(address: str) -> HostConnection:
            _, protocol = await loop.create_connection(
                lambda: cls(limits), address, port,
                ssl=tls, server_hostname=host if tls else None,
            )  # fmt: skip
            return protocol

        try:
            async with asyncio.timeout(limits.timeout_s):
                for address in addresses[:-1]:
                    try:
                        return await opened(address)
                    except OSError:
                        continue
                return await opened(addresses[-1])
        except TimeoutError:
            why = "no connection in time" if tls is None else "no TLS in time"
            raise ExchangeError(why, timed_out=True) from None
        except ssl.SSLError as error:
            refused = "ALERT" in (error.reason or "")
            why = "TLS was refused" if refused else "no TLS"
            raise ExchangeError(f"{why}: {error.reason or error}") from None
        except (OSError, ValueError, UnicodeError) as error:
            told = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ExchangeError(f"no connection: {told}") from None

    async def exchange(
        self, data: bytes, *, leave_open: bool = False, events: bool = False
    ) -> ResponseReader:
        """Send ``data`` and read the answer; ``leave_open`` keeps the connection in any case.

        With ``events`` a stream of events can be read on by ``next_event``.

        Raises:
            ExchangeError: no answer in time, or none that is HTTP.
        """
        if self._transport is None or not self.usable:
            raise ExchangeError(_CLOSED)
        reader = self._reader = ResponseReader(self._limits, events=events)
        self._transport.write(data)
        try:
            return await self._read(reader)
        finally:
            if not reader.keep_alive and not leave_open:
                self.close()

    async def next_event(self) -> ResponseReader:
        """Read on until one more event of the stream is there.

        Raises:
            ExchangeError: there is no stream, or no event in time.
        """
        if self._reader is None or not self.usable:
            raise ExchangeError(_CLOSED)
        self._reader.read_on()
        return await self._read(self._reader)

    async def _read(self, reader: ResponseReader) -> ResponseReader:
        """Wait until the reader is done, or the time is over."""
        if not reader.done:
            loop = asyncio.get_running_loop()
            done = self._done = loop.create_future()
            timer = loop.call_later(self._limits.timeout_s, self._give_up)
            try:
                await done
            finally:
                timer.cancel()
                self._done = None
        if reader.failed:
            raise ExchangeError(reader.failed, timed_out=reader.failed == LATE)
        return reader

    def close(self) -> None:
        """Drop the connection at once."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast(asyncio.Transport, transport)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        reader = self._reader
        if reader is None or (self._done is None and not reader.events):
            self.close()  # it speaks without being asked
            return
        reader.feed(data)
        if reader.done:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        del exc
        self.usable = False
        self._transport = None
        if self._reader is not None and self._done is not None:
            self._reader.eof()
            self._wake()

    def _give_up(self) -> None:
        if self._reader is not None and not self._reader.done:
            self._reader.late(LATE)
            self._wake()

    def _wake(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)
