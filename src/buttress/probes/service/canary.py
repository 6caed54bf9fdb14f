"""A listener of our own on this machine: who asks it has fetched an address that it was given."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from buttress.protocols.live import CanaryAddress

_MOST: Final = 100
_PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
_PICTURE: Final = ("image/png", _PIXEL)
_BODY: Final = 4096


@dataclass
class CanaryListener:
    """``url`` begins its addresses; ``asked`` are the paths that were fetched.

    A fetch after the answer is awaited for ``grace_s`` seconds.

    ``pages`` are texts that it serves in place of a picture, by the mark that ends their address;
    ``posted`` are bodies that it was sent, by path.
    """

    url: str = ""
    grace_s: float = 0.5
    asked: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    posted: dict[str, bytes] = field(default_factory=dict)

    async def asked_for(self, marks: Collection[str]) -> set[str]:
        """Which addresses, by the mark that ends them, were fetched, or are in ``grace_s``."""
        wanted = set(marks)
        for _ in range(10):
            if wanted <= self._marks():
                break
            await asyncio.sleep(self.grace_s / 10)
        return wanted & self._marks()

    def sent_to(self, mark: str) -> bytes:
        """The body that was sent to an address; empty where none was."""
        return self.posted.get(f"/{self._secret}/{mark}", b"")

    @property
    def _secret(self) -> str:
        return self.url.rpartition("/")[2]

    def _marks(self) -> set[str]:
        start = f"/{self._secret}/"
        return {one.removeprefix(start) for one in self.asked if one.startswith(start)}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                line = await reader.readline()
                parts = line.decode("latin-1").split()
                path = parts[1][:200] if len(parts) > 1 else ""
                body = await _body(reader)
                if path and len(self.asked) < _MOST:
                    self.asked.append(path)
                    if body:
                        self.posted[path] = body
                page = self.pages.get(path.rpartition("/")[2])
                kind, data = ("text/html; charset=utf-8", page.encode()) if page else _PICTURE
                writer.write(
                    f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n"
                    f"Content-Length: {len(data)}\r\n\r\n".encode()
                    + data
                )
                await writer.drain()
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _body(reader: asyncio.StreamReader) -> bytes:
    """Reads the headers, and the first 4 KiB of the body that they announce."""
    length = 0
    for _ in range(_MOST):
        name, colon, value = (await reader.readline()).partition(b":")
        if not colon:
            break
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = min(int(value[:9]), _BODY)
    return await reader.readexactly(length) if length else b""


@asynccontextmanager
async def listening(at: CanaryAddress) -> AsyncIterator[CanaryListener]:
    """A canary under a path that nobody can guess; one at a time where the port is named.

    Raises:
        OSError: the address is none of this machine, or the port is in use.
    """
    async with at.turn if at.port else nullcontext():
        canary = CanaryListener(grace_s=at.grace_s)
        server = await asyncio.start_server(canary._serve, at.host, at.port, limit=8192)
        port = server.sockets[0].getsockname()[1]
        shown = f"[{at.host}]" if ":" in at.host else at.host
        canary.url = f"http://{shown}:{port}/{os.urandom(8).hex()}"
        try:
            yield canary
        finally:
            server.close()
            await server.wait_closed()
