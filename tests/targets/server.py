"""A real HTTP server on loopback whose answers a test decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The base URL under which ``handler`` answers chat completions."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()


def completion(message: Any, **fields: Any) -> web.Response:
    """A chat completion with that message, or that content."""
    if isinstance(message, str):
        message = {"role": "assistant", "content": message}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **fields}
    return web.json_response(body)
