"""Is a key needed, and can the check be passed by (OWASP API2:2023)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

from buttress.evidence.findings import Finding
from buttress.probes.service.api import (
    HELLO,
    MODELS,
    REFUSED,
    ServiceApi,
    ids,
    is_data,
    same_kind,
)
from buttress.probes.service.chat import ChatShape
from buttress.probes.service.reports import finding
from buttress.protocols.live import LiveRequest, Reply, Session

_ABSENT: Final = "/buttress-no-such-path"
_WRONG: Final = "buttress-wrong-key"
_INSIDE: Final = (("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"))
_READ_TRICKS: Final = ("/", "//", "%2f", "?", ";x")


def plan(api: ServiceApi) -> Iterator[LiveRequest]:
    """Each reading path without a key, with the first user's, and with every trick."""
    yield api.get(_ABSENT)
    for path, _ in api.reads:
        yield api.get(path)
        if api.users:
            yield api.get(path, api.first)
        yield from (request for _, request in _tricks(api, path))
    if api.active:
        for shape in api.shapes:
            yield shape.ask(HELLO, api.first)
            yield shape.ask(HELLO)
            yield from (request for _, request in _chat_tricks(shape))


async def findings(session: Session, api: ServiceApi) -> AsyncIterator[Finding]:
    """Reading paths that answer without a key, or with a trick."""
    if is_data(await api.ask(session, api.get(_ABSENT))):
        api.not_judged.append("authentication: the host answers any path with data")
        return
    for path, secured in api.reads:
        bare = await api.ask(session, api.get(path))
        keyed = await api.ask(session, api.get(path, api.first)) if api.users else None
        if bare is None or bare.status == 404:
            continue
        if is_data(bare):
            if secured or _should_be_secured(api, path, bare, keyed):
                yield _missing(session, path, bare)
        elif bare.status in REFUSED:
            async for one in _passed(session, api, path, bare, keyed):
                yield one


async def chat_findings(
    session: Session, api: ServiceApi, shape: ChatShape
) -> AsyncIterator[Finding]:
    """The chat operation without a key, and with a trick."""
    url = session.at(shape.path)
    bare = await api.ask(session, shape.ask(HELLO))
    if answer := shape.answer(bare):
        yield finding(
            "authentication-missing", url,
            what=f"{shape.path} gives answers of the model to anybody",
            proof=f"status 200 without a key, an answer of {len(answer)} characters",
        )  # fmt: skip
        return
    for name, request in _chat_tricks(shape):
        if shape.answer(await api.ask(session, request)):
            status = bare.status if bare else "no answer"
            yield finding(
                "authentication-bypass", url, what=f"{shape.path} with {name}",
                proof=f"status 200 with {name}, {status} without a key",
            )  # fmt: skip
            return


async def _passed(
    session: Session, api: ServiceApi, path: str, bare: Reply, keyed: Reply | None
) -> AsyncIterator[Finding]:
    for name, request in _tricks(api, path):
        reply = await api.ask(session, request)
        right = same_kind(reply, keyed) if is_data(keyed) else _known_shape(reply)
        if right:
            yield finding(
                "authentication-bypass", session.at(path), what=f"{path} with {name}",
                proof=f"status 200 with {name}, {bare.status} without a key",
            )  # fmt: skip
            return


def _missing(session: Session, path: str, bare: Reply) -> Finding:
    return finding(
        "authentication-missing", session.at(path),
        severity="medium" if path == MODELS else None,
        what=f"GET {path.partition('?')[0]}",
        proof=f"status 200 without a key, {len(bare.body)} bytes of JSON",
    )  # fmt: skip


def _should_be_secured(api: ServiceApi, path: str, bare: Reply, keyed: Reply | None) -> bool:
    """Whether an answer should have needed a key, though nobody says so.

    Of a description that speaks of keys, what it leaves open is meant to be. Of one that does not,
    lists of objects count; without any, lists at the usual paths.
    """
    if api.description is None:
        return same_kind(bare, keyed) or _known_shape(bare)
    if any(one.secured for one in api.description.operations):
        return False
    return any(one.path == path for one in api.collections) and bool(ids(bare))


def _known_shape(reply: Reply | None) -> bool:
    """Whether an answer is a list as the APIs of models give it, not a message or a page."""
    if reply is None or not is_data(reply):
        return False
    return any(name in reply.body for name in (b'"data"', b'"models"', b'"object"', b'"items"'))


def _tricks(api: ServiceApi, path: str) -> Iterator[tuple[str, LiveRequest]]:
    name, form = api.key_header
    for told, text in (("a wrong key", _WRONG), ("the key 'null'", "null"), ("an empty key", "")):
        yield told, api.get(path, headers=((name, form.replace("{key}", text)),))
    yield "the header X-Forwarded-For: 127.0.0.1", api.get(path, headers=_INSIDE)
    yield "another method of signing in", api.get(path, headers=(("Authorization", "Basic Og=="),))
    before, mark, query = path.partition("?")
    for end in _READ_TRICKS:
        changed = f"/{before}" if end == "//" else before + end
        yield f"the path {changed}", api.get(changed + mark + query)


def _chat_tricks(shape: ChatShape) -> Iterator[tuple[str, LiveRequest]]:
    name, form = shape.key_header
    for told, text in (("a wrong key", _WRONG), ("an empty key", "")):
        yield told, shape.ask(HELLO, headers=((name, form.replace("{key}", text)),))
    yield "the header X-Forwarded-For: 127.0.0.1", shape.ask(HELLO, headers=_INSIDE)
    yield f"the path {shape.path}/", shape.ask(HELLO, path=f"{shape.path}/")
