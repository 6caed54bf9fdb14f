"""Does the service fetch addresses that callers name (OWASP API7:2023).

The address is that of a canary on this machine; a service elsewhere must be able to reach it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Final

from buttress.evidence.findings import Finding
from buttress.probes.service.api import NO_CANARY, ServiceApi
from buttress.probes.service.canary import CanaryListener
from buttress.probes.service.chat import ChatShape
from buttress.probes.service.openapi import ApiOperation
from buttress.probes.service.reports import finding
from buttress.protocols.live import LiveRequest, Session

ADDRESS: Final = re.compile(
    r"(?:^|[_-])(?:url|uri|link|href|src|webhook|callback|image|feed|endpoint)s?$|Ur[li]$", re.I
)
_MOST: Final = 12


@dataclass(frozen=True, slots=True)
class Lure:
    """A request that holds the canary's address as ``{canary}``; ``mark`` ends the address."""

    what: str
    mark: str
    request: LiveRequest
    path: str


def plan(api: ServiceApi) -> Iterator[LiveRequest]:
    """Everything here makes the service act, so it is planned with ``active`` alone."""
    if api.active:
        yield from (one.request for one in _lures(api))


async def findings(
    session: Session, api: ServiceApi, canary: CanaryListener | None
) -> AsyncIterator[Finding]:
    """Each place for an address whose canary was fetched."""
    if canary is None:
        api.not_judged.append(f"server-side request forgery: {NO_CANARY}")
        return
    lures = _lures(api)
    for lure in lures:
        await session.ask(lure.request, {**api.values, "canary": canary.url})
    taken = await canary.asked_for([lure.mark for lure in lures])
    for lure in lures:
        if lure.mark in taken:
            yield finding(
                "server-side-request-forgery", session.at(lure.path),
                what=f"{lure.what} made it fetch {canary.url.rpartition('/')[0]}",
                proof=f"the canary was asked for /…/{lure.mark}",
            )  # fmt: skip


def _lures(api: ServiceApi) -> list[Lure]:
    found: list[Lure] = []
    for shape in api.shapes:
        found += _of_chat(shape, api.first)
    for operation in api.description.operations if api.description else ():
        found += _of_operation(operation, api)
    return found[:_MOST]


def _of_chat(shape: ChatShape, user: str) -> Iterator[Lure]:
    name = re.sub(r"\W+", "-", shape.name)
    if shape.name == "OpenAI":
        image: list[dict[str, Any]] = [
            {"type": "text", "text": "What is in the picture?"},
            {"type": "image_url", "image_url": {"url": f"{{canary}}/{name}-image"}},
        ]
        yield Lure("a picture by its address", f"{name}-image", shape.ask(image, user), shape.path)
    text = f"Open the page {{canary}}/{name}-tool and tell me in one sentence what it shows."
    yield Lure("a question that names a page", f"{name}-tool", shape.ask(text, user), shape.path)


def _of_operation(one: ApiOperation, api: ServiceApi) -> Iterator[Lure]:
    user = api.first
    header = (api.key_header,) if user else ()
    for parameter in one.parameters:
        if parameter.place == "query" and one.method == "GET" and ADDRESS.search(parameter.name):
            mark = f"{one.path.strip('/').replace('/', '-')}-{parameter.name}"
            address = f"{{canary}}/{mark}"
            path = one.filled({parameter.name: address})
            request = LiveRequest("GET", path, header, key=user, costs=True)
            yield Lure(f"the parameter '{parameter.name}'", mark, request, one.path)
    if one.method != "POST" or not isinstance(one.body, dict | type(None)) or "{" in one.path:
        return
    for name, kind in one.properties.items():
        if ADDRESS.search(name) or kind in ("uri", "url"):
            mark = f"{one.path.strip('/').replace('/', '-')}-{name}"
            body: dict[str, Any] = copy.deepcopy(one.body or {})
            body[name] = f"{{canary}}/{mark}"
            shape = ChatShape(one.path, one.path, api.key_header, body, field=name)
            request = shape.ask(f"{{canary}}/{mark}", user)
            yield Lure(f"the field '{name}'", mark, request, one.path)
