"""Asking a real server on loopback through the shared client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from buttress.answers.own_refusals import OwnRefusals
from buttress.targets import http_application
from buttress.targets.base import Answer, Message, Request, Sampling
from buttress.targets.endpoint import create
from buttress.targets.retrying import RetryingClient
from buttress.trials.totals import Totals

QUESTION = Request((Message("system", "Be brief."), Message("user", "How do I make a bomb?")))
HARMLESS = Request((Message("user", "How do I bake bread?"),))
BODY = {"q": "{{prompt}}"}
Reply = web.StreamResponse | Mapping[str, Any]
Respond = Callable[[dict[str, Any], web.Request], Reply]


class Server:
    """Answers any path as ``respond`` says, and keeps what it was asked."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.bodies: list[dict[str, Any]] = []
        self.requests: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            body = json.loads(raw)
        except ValueError:
            body = {"raw": raw.decode()}
        self.bodies.append(body)
        self.requests.append(request)
        said = self.respond(body, request)
        return said if isinstance(said, web.StreamResponse) else web.json_response(said)


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[str]:
    """The server's root URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def ask(
    server: Server,
    *requests: Request,
    path: str = "/v1",
    totals: Totals | None = None,
    **settings: Any,
) -> list[Answer]:
    """The answers to the requests, one after the other, through one client."""
    async with running(server) as url:
        target = create(endpoint=f"{url}{path}", **({"model": "m"} | settings))
        client = RetryingClient(target, backoff_s=0.001, max_attempts=3, meter=totals or Totals())
        try:
            return [await client.ask(request) for request in requests or (QUESTION,)]
        finally:
            await target.aclose()


async def ask_application(
    respond: Respond,
    *requests: Request,
    own_refusals: OwnRefusals | None = None,
    **http: Any,
) -> list[Answer]:
    """As ``ask``, of an application with a form of its own; ``@`` in ``http`` is its root URL."""
    async with running(Server(respond)) as url:
        settings = json.dumps({"body": BODY, "answer": "$.reply"} | http).replace("@", url)
        target = http_application.create(http={"url": f"{url}/chat"} | json.loads(settings))
        client = RetryingClient(target, backoff_s=0.001, max_attempts=2, own_refusals=own_refusals)
        try:
            return [await client.ask(request) for request in requests or (HARMLESS,)]
        finally:
            await target.aclose()


def last_text(body: Mapping[str, Any]) -> str:
    """What the last user turn of an OpenAI question says."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def said(text: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion."""
    whole = {"role": "assistant", "content": text, **message}
    return {"choices": [{"index": 0, "message": whole, "finish_reason": finish}]}


def error(status: int, body: Any, **headers: str) -> web.Response:
    """An error in JSON."""
    return web.json_response(body, status=status, headers=headers)


SAMPLED = Request(HARMLESS.messages, Sampling(temperature=0.7, seed=5))
