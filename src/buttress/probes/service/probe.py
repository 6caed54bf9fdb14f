"""The live probe of the service layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from buttress.evidence.findings import Finding
from buttress.files.visible import shortened
from buttress.probes.service import (
    agency,
    authentication,
    disclosure,
    errors,
    execution,
    forgery,
    injection,
    limits,
    markup,
    objects,
    origins,
    sessions,
)
from buttress.probes.service.api import MODELS, ServiceApi, ids
from buttress.probes.service.canary import CanaryListener, listening
from buttress.probes.service.chat import ChatShape
from buttress.probes.service.reports import PROBE as NAME
from buttress.probes.service.reports import VERSION
from buttress.protocols.live import (
    CanaryAddress,
    LiveContext,
    LiveFact,
    LiveRequest,
    Observed,
    Session,
)

_THIS_MACHINE: Final = (
    "127.0.0.1",
    "localhost",
    "::1",
)  # where a canary on a loopback address can be reached
_PARTS: Final = (
    authentication, objects, origins, errors, limits, forgery, disclosure, markup, injection,
    execution, agency, sessions,
)  # fmt: skip
_ROOT: Final = LiveRequest("GET", "/")


class ServiceProbe:
    """Keys, objects, limits, errors, origins, forgery and what the model may do."""

    id = NAME
    version = VERSION
    title = "Keys, objects, limits and errors of APIs of models"
    layer = "service"

    def plan(self, context: LiveContext) -> Sequence[LiveRequest]:
        """See ``LiveProbe``."""
        api = ServiceApi.of(context)
        found = dict.fromkeys([_ROOT, api.get(MODELS)])
        if api.users:
            found[api.get(MODELS, api.first)] = None
        for part in _PARTS:
            found.update(dict.fromkeys(part.plan(api)))
        return list(found)

    async def examine(self, session: Session, context: LiveContext) -> Sequence[Finding | Observed]:
        """See ``LiveProbe``."""
        api = ServiceApi.of(context)
        if await session.ask(_ROOT) is None and not session.scheme:
            return []
        await _name_model(session, api)
        found: list[Finding | Observed] = [
            one async for one in authentication.findings(session, api)
        ]
        found += [one async for one in objects.findings(session, api)]
        found += [one async for one in origins.findings(session, api)]
        found += [one async for one in errors.findings(session, api)]
        if api.active:
            found += await _active(session, api, context.canary)
        else:
            api.not_judged.append(
                "limits, request forgery, system prompt, markup, orders in documents, tools, "
                "mixed sessions: need --active"
            )
        if api.not_judged:
            found.append(LiveFact("not judged", tuple(dict.fromkeys(api.not_judged))))
        return found


async def _name_model(session: Session, api: ServiceApi) -> None:
    for user in (api.first, "") if api.users else ("",):
        if names := ids(await api.ask(session, api.get(MODELS, user))):
            api.model = shortened(names[0])
            return


async def _active(session: Session, api: ServiceApi, at: CanaryAddress) -> list[Finding | Observed]:
    if at.loopback and session.host not in _THIS_MACHINE:
        return await _asked(session, api, None)
    async with listening(at) as canary:
        return await _asked(session, api, canary)


async def _asked(
    session: Session, api: ServiceApi, canary: CanaryListener | None
) -> list[Finding | Observed]:
    found: list[Finding | Observed] = []
    shape: ChatShape | None = await api.chat(session)
    if shape is None:
        api.not_judged.append(
            "limits, system prompt, markup, orders in documents, tools, mixed sessions: "
            "no chat API answered" + ("" if api.users else " without a key")
        )
    else:
        found.append(LiveFact("chat API", (f"{shape.name}: {shape.path}",)))
        found += [one async for one in authentication.chat_findings(session, api, shape)]
        found += [one async for one in errors.chat_findings(session, api, shape)]
        found += [one async for one in disclosure.findings(session, api, shape)]
    found += [one async for one in forgery.findings(session, api, canary)]
    found += [one async for one in markup.findings(session, api, shape, canary)]
    found += [one async for one in injection.findings(session, api, shape, canary)]
    if shape is not None:
        found += [one async for one in execution.findings(session, api, shape)]
        found += [one async for one in agency.findings(session, api, shape, canary)]
        found += [one async for one in sessions.findings(session, api, shape)]
        found += [one async for one in limits.findings(session, api, shape)]
    return found


PROBE: Final = ServiceProbe()
