"""May pages of other sites use the API (cross-origin resource sharing)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

from buttress.evidence.findings import Finding
from buttress.probes.service.api import ServiceApi, is_data
from buttress.probes.service.reports import finding
from buttress.protocols.live import LiveRequest, Reply, Session

_FOREIGN: Final = "https://foreign.invalid"
# The last three pass a check of the beginning, of the end or of a part of the origin only.
_ORIGINS: Final = (
    _FOREIGN,
    "null",
    "{scheme}://{host}.foreign.invalid",
    "{scheme}://foreign-{domain}",
    "{scheme}://{domain}.foreign.invalid",
)
_SHARED_SECOND: Final = frozenset(("ac", "co", "com", "edu", "gov", "go", "net", "or", "org"))


def plan(api: ServiceApi) -> Iterator[LiveRequest]:
    """Reading paths from foreign origins, and what a browser asks before it posts to a chat."""
    for path, _ in api.reads:
        yield from (_read(api, path, origin) for origin in _ORIGINS)
    for shape in api.shapes:
        yield from (_preflight(shape.path, origin) for origin in _ORIGINS)


async def findings(session: Session, api: ServiceApi) -> AsyncIterator[Finding]:
    """The first path whose answer lets foreign pages in; one finding a kind."""
    told: set[str] = set()
    values = _values(session)
    origins = {one.format_map(values): one for one in _ORIGINS}
    for path, _ in api.reads:
        bare = await api.ask(session, api.get(path))
        if bare is None or bare.status in (404, 405):
            continue
        for shown, origin in origins.items():
            reply = await api.ask(session, _read(api, path, origin), values)
            for one in _judged(session.at(path), shown, reply, answers=is_data(reply)):
                if one.rule not in told:
                    told.add(one.rule)
                    yield one
    for shape in api.shapes:
        for shown, origin in origins.items():
            reply = await api.ask(session, _preflight(shape.path, origin), values)
            if reply is None or reply.status == 404:
                break
            for one in _judged(session.at(shape.path), shown, reply, answers=False):
                if one.rule not in told:
                    told.add(one.rule)
                    yield one


def _judged(url: str, origin: str, reply: Reply | None, *, answers: bool) -> Iterator[Finding]:
    """With credentials any origin that is let in is grave; else only data that anybody gets."""
    if reply is None or reply.status == 404:
        return
    allowed = reply.header("access-control-allow-origin").strip()
    credentials = reply.header("access-control-allow-credentials").strip().lower() == "true"
    proof = f"Origin: {origin}; Access-Control-Allow-Origin: {allowed}"
    if allowed == origin and credentials:
        yield finding(
            "cors-foreign-origin", url, what=f"the origin {origin} is let in with cookies",
            proof=f"{proof}; Access-Control-Allow-Credentials: true",
        )  # fmt: skip
    elif answers and allowed in ("*", origin):
        yield finding("cors-any-origin", url, what=f"the origin {origin} is let in", proof=proof)


def registered_domain(host: str) -> str:
    """The domain that a host was probably registered under; an address stays as it is."""
    labels = host.split(".")
    if not labels[-1].isalpha():
        return host
    kept = 3 if len(labels) > 2 and labels[-2] in _SHARED_SECOND else 2
    return ".".join(labels[-kept:])


def _values(session: Session) -> dict[str, str]:
    """What stands in the origins."""
    return {
        "scheme": session.scheme or "http",
        "host": session.host,
        "domain": registered_domain(session.host),
    }


def _read(api: ServiceApi, path: str, origin: str) -> LiveRequest:
    return api.get(path, headers=(("Origin", origin),))


def _preflight(path: str, origin: str) -> LiveRequest:
    return LiveRequest(
        "OPTIONS", path,
        (
            ("Origin", origin), ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,content-type"),
        ),
    )  # fmt: skip
