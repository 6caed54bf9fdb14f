"""A chat endpoint that costs next to nothing: fixed answer after a fixed latency.

Run as ``python endpoint_server.py PORT LATENCY_MS [distinct]``; prints "ready" when it listens.
With ``distinct`` a number at its end makes each answer another one. A bare asyncio protocol, so
that the server isn't what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import count, repeat
from typing import Any

import uvloop

WORDS = (
    "I can see why you ask, but this is something that I won't help with, because it could hurt "
    "people. If there is a worry behind the question, I would be glad to talk about safe ways to "
    "deal with it, to point to people who can help, or to explain the matter in general terms "
    "without details that could be misused by others. {number}"
)
_NUMBER = b"{number}"


def _response() -> bytes:
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "fixed",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": WORDS},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 20, "completion_tokens": 72, "total_tokens": 92},
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def _numbers(*, distinct: bool) -> Iterator[bytes]:
    """What stands at the end of each answer, as wide as its placeholder."""
    return (b"%08d" % number for number in (count() if distinct else repeat(0)))


class Endpoint(asyncio.Protocol):
    """Reads requests by their Content-Length and answers each after the latency."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, latency_s: float, numbers: Iterator[bytes]
    ) -> None:
        self._loop = loop
        self._numbers = numbers
        self._latency_s = latency_s
        self._response = _response()
        self._received = b""
        self._transport: Any = None  # uvloop's is no asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            at = head.find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._received) < end + 4 + size:
                return
            self._received = self._received[end + 4 + size :]
            self._loop.call_later(self._latency_s, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._response.replace(_NUMBER, next(self._numbers)))


async def main() -> None:
    loop = asyncio.get_running_loop()
    latency_s = float(sys.argv[2]) / 1000
    numbers = _numbers(distinct=sys.argv[3:] == ["distinct"])
    server = await loop.create_server(
        lambda: Endpoint(loop, latency_s, numbers), "127.0.0.1", int(sys.argv[1]), backlog=1024
    )
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
