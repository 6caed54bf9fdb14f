"""Loopback servers for tests: well-mannered ones, and hosts that mean harm."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


_BOMB = gzip.compress(bytes(64 << 20))


class Web:
    """Answers paths from ``pages``: a body, or (status, headers, body); else 404."""

    def __init__(self, pages: Mapping[str, Any]) -> None:
        self.pages = pages
        self.seen: list[tuple[str, str]] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path, protocol = [*head.split(" ", 2), "", ""][:3]
                if not protocol:  # no HTTP request
                    break
                length = next(
                    (
                        int(line.partition(":")[2])
                        for line in head.split("\r\n")
                        if line.lower().startswith("content-length:")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                self.seen.append((method, path))
                writer.write(self.answer(method, path, head, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
        page = self.pages.get(path, (404, {}, "not here"))
        status, headers, text = page if isinstance(page, tuple) else (200, {}, page)
        content = text if isinstance(text, bytes) else text.encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return (
            f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[int]:
    """The port on which ``handler`` serves."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def hostile(kind: str) -> Handler:
    """A host that means harm."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if kind not in _AT_ONCE:
                await reader.readuntil(b"\r\n\r\n")
            await _ATTACKS[kind](writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    return serve


async def _endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def _endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"y" * 1000 + b"\r\n")
        await writer.drain()


async def _one_endless_header(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"y" * 65536)
        await writer.drain()


async def _gzip_bomb(writer: asyncio.StreamWriter) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(_BOMB)}\r\n\r\n"
    writer.write(head.encode() + _BOMB)
    await writer.drain()


async def _slow_drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _header_drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _redirect_loop(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def _garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(range(256)) * 64)
    await writer.drain()


async def _silence(writer: asyncio.StreamWriter) -> None:
    del writer
    await asyncio.sleep(3600)


async def _bad_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx")
    await writer.drain()


async def _many_interim(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)
        await writer.drain()


async def _garbage_tls(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\x16\x03\x03\xff\xff\x02\xff\xff\xff" + bytes(range(256)) * 200)
        await writer.drain()


_AT_ONCE = frozenset(("garbage TLS",))
_ATTACKS: Mapping[str, Callable[[asyncio.StreamWriter], Awaitable[None]]] = {
    "endless body": _endless_body,
    "endless headers": _endless_headers,
    "one endless header": _one_endless_header,
    "gzip bomb": _gzip_bomb,
    "slow drip": _slow_drip,
    "header drip": _header_drip,
    "redirect loop": _redirect_loop,
    "garbage": _garbage,
    "garbage TLS": _garbage_tls,
    "silence": _silence,
    "bad chunks": _bad_chunks,
    "interim answers without end": _many_interim,
}
HOSTILE = tuple(_ATTACKS)
