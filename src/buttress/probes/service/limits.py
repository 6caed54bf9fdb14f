"""What one caller may order: answers, tokens, input, requests, streams (OWASP API4:2023)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from buttress.evidence.findings import Finding
from buttress.probes.service.api import HELLO, ServiceApi
from buttress.probes.service.chat import ChatShape, json_of
from buttress.probes.service.reports import finding
from buttress.protocols.live import LiveRequest, Reply, Session

_CHOICES: Final = 64
_ENDURED_CHOICES: Final = 16
_TOKENS: Final = 10_000_000
_LOGPROBS: Final = 20
_WORDS: Final = 40_000
_REQUESTS: Final = 16
STREAMS: Final = 12
_SAYS_LIMIT: Final = (
    "ratelimit-limit", "x-ratelimit-limit", "x-ratelimit-limit-requests", "x-ratelimit-remaining",
    "ratelimit", "ratelimit-policy", "retry-after",
)  # fmt: skip
_LIMITED: Final = (429, 503)


def plan(api: ServiceApi) -> Iterator[LiveRequest]:
    """Everything here costs money, so it is planned with ``active`` alone."""
    if api.active:
        for shape in api.shapes:
            yield _long(shape, api.first)
            yield from _burst(shape, api.first)
            yield _most_tokens(shape, api.first)
            if shape.choices:
                yield _many_choices(shape, api.first)
                yield _probabilities(shape, api.first)
                yield _stream(shape, api.first)


async def findings(session: Session, api: ServiceApi, shape: ChatShape) -> AsyncIterator[Finding]:
    """What the service lets one caller have; the burst comes last, since it may shut us out."""
    url, user = session.at(shape.path), api.first

    async def ask(request: LiveRequest) -> Reply | None:
        return await session.ask(request, api.values)

    if shape.choices:
        number = len(_choices(await ask(_many_choices(shape, user))))
        if number > _ENDURED_CHOICES:
            yield finding(
                "unbounded-choices", url, what=f"n = {_CHOICES} gives {number} answers",
                proof=f"{number} choices",
            )  # fmt: skip
        count = _probability_count(await ask(_probabilities(shape, user)))
        if count:
            yield finding(
                "logprobs-given", url, what=f"{count} a position with top_logprobs = {_LOGPROBS}",
                proof=f"choices[0].logprobs with {count} entries of the first token",
            )  # fmt: skip
    if shape.answer(await ask(_most_tokens(shape, user))):
        yield finding(
            "unbounded-max-tokens", url, what=f"max_tokens = {_TOKENS:,} is accepted",
            proof="status 200 with an answer",
        )  # fmt: skip
    if shape.answer(await ask(_long(shape, user))):
        yield finding(
            "unbounded-input", url, what=f"a question of {_WORDS:,} words is answered",
            proof="status 200 with an answer",
        )  # fmt: skip
    if shape.choices:
        held = await session.hold_open(_stream(shape, user), api.values, STREAMS)
        if held == STREAMS:
            yield finding(
                "streams-not-limited", url, what=f"{held} at once with one key",
                proof=f"{held} times status 200 while all were open",
            )  # fmt: skip
    async for one in _rate(session, api, shape):
        yield one


async def _rate(session: Session, api: ServiceApi, shape: ChatShape) -> AsyncIterator[Finding]:
    answered = 0
    for request in _burst(shape, api.first):
        reply = await session.ask(request, api.values)
        if reply is None:
            api.not_judged.append("rate limit: the budget was spent, or there was no answer")
            return
        if reply.status in _LIMITED or any(reply.header(name) for name in _SAYS_LIMIT):
            return
        answered += reply.status == 200
    if answered == _REQUESTS:
        yield finding(
            "no-rate-limit", session.at(shape.path),
            what=f"{answered} requests in a row with one key, and none was refused",
            proof=f"{answered} times status 200 without a header that tells a limit",
        )  # fmt: skip


def _many_choices(shape: ChatShape, user: str) -> LiveRequest:
    return shape.ask(HELLO, user, n=_CHOICES, max_tokens=1)


def _probabilities(shape: ChatShape, user: str) -> LiveRequest:
    return shape.ask(HELLO, user, max_tokens=1, logprobs=True, top_logprobs=_LOGPROBS)


def _most_tokens(shape: ChatShape, user: str) -> LiveRequest:
    if shape.name == "Ollama":
        return shape.ask(HELLO, user, options={"num_predict": _TOKENS})
    return shape.ask(HELLO, user, max_tokens=_TOKENS)


def _long(shape: ChatShape, user: str) -> LiveRequest:
    return shape.ask(f"{'word ' * _WORDS}\n{HELLO}", user)


def _stream(shape: ChatShape, user: str) -> LiveRequest:
    return shape.ask(HELLO, user, stream=True)


def _burst(shape: ChatShape, user: str) -> list[LiveRequest]:
    return [shape.ask(HELLO, user, once=f"burst {number}") for number in range(_REQUESTS)]


def _choices(reply: Reply | None) -> list[Any]:
    data = json_of(reply) if reply is not None and reply.status == 200 else None
    found = data.get("choices") if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def _probability_count(reply: Reply | None) -> int:
    for one in _choices(reply)[:1]:
        logprobs = one.get("logprobs") if isinstance(one, dict) else None
        content = logprobs.get("content") if isinstance(logprobs, dict) else None
        if isinstance(content, list) and content and isinstance(content[0], dict):
            top = content[0].get("top_logprobs")
            return len(top) if isinstance(top, list) else 1
    return 0
