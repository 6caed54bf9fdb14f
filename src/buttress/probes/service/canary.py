"""A listener of our own on this machine: who asks it has fetched an address that it was given."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

_GRACE_S: Final = 0.5
_MOST: Final = 100
_PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


@dataclass
class CanaryListener:
    """``url`` begins its addresses; ``asked`` are the paths that were fetched."""

    url: str = ""
    asked: list[str] = field(default_factory=list)

    async def was_asked(self, path: str) -> bool:
        """Whether the path was fetched, or is within half a second."""
        for _ in range(10):
            if path in self.asked:
                return True
            await asyncio.sleep(_GRACE_S / 10)
        return path in self.asked

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                line = await reader.readline()
                parts = line.decode("latin-1").split()
                if len(parts) > 1 and len(self.asked) < _MOST:
                    self.asked.append(parts[1][:200])
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n"
                    b"Content-Length: " + str(len(_PIXEL)).encode() + b"\r\n\r\n" + _PIXEL
                )
                await writer.drain()
        except (TimeoutError, OSError, ValueError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[CanaryListener]:
    """A canary on a free port of the loopback address, under a path that nobody can guess."""
    canary = CanaryListener()
    server = await asyncio.start_server(canary._serve, "127.0.0.1", 0, limit=8192)
    port = server.sockets[0].getsockname()[1]
    canary.url = f"http://127.0.0.1:{port}/{os.urandom(8).hex()}"
    try:
        yield canary
    finally:
        server.close()
