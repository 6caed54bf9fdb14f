"""Surveys many hosts at the same time; what one of them does can't hurt the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from buttress.errors import describe_exception
from buttress.evidence.findings import Finding
from buttress.live.addresses import is_address
from buttress.live.limits import Limits
from buttress.live.pace import Pace
from buttress.live.scope import Endpoint
from buttress.live.sent import DNS, Sent
from buttress.live.session import RAW, HostSession
from buttress.protocols.live import (
    LiveContext,
    LiveFact,
    LiveObservation,
    LiveProbe,
    LiveRequest,
    Observed,
)


@dataclass
class HostResult:
    """What was sent to a host, and what was seen. ``why`` says why it was given up, if it was.

    ``failed`` are probes that ended with an error, with what it was.
    """

    endpoint: Endpoint
    url: str
    reached: bool
    why: str
    not_sent: int
    began: float
    seconds: float
    sent: list[Sent]
    elsewhere: dict[str, str]
    observations: list[LiveObservation] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    facts: list[LiveFact] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def asset(self) -> str:
        """The id under which findings are told."""
        return self.endpoint.asset or self.url


def planned(probes: Sequence[LiveProbe], context: LiveContext) -> list[LiveRequest]:
    """Every request that the probes may send to a host, each once, in the order of the probes."""
    found: dict[LiveRequest, None] = {}
    for probe in probes:
        found.update(dict.fromkeys(probe.plan(context)))
    return list(found)


def dry_run(
    endpoints: Sequence[Endpoint], requests: Sequence[LiveRequest]
) -> Iterator[tuple[str, str, LiveRequest]]:
    """Method, URL and request of everything that may be sent; sends nothing.

    A host whose scheme is not known appears with both.
    """
    for endpoint in endpoints:
        if not is_address(endpoint.host):
            yield DNS, f"dns://{endpoint.host}", LiveRequest(DNS, "")
        for scheme in endpoint.schemes:
            for request in requests:
                if _over_http(request, scheme):
                    yield request.method, endpoint.url(scheme, request.path), request
        for request in requests:
            if request.script is not None and endpoint.scheme != "http":
                yield request.method, f"tls://{endpoint.shown}", request
            elif request.method == RAW and not endpoint.scheme:
                yield request.method, f"tcp://{endpoint.shown}", request


def _over_http(request: LiveRequest, scheme: str) -> bool:
    if request.script is not None or request.method == RAW:
        return False
    return scheme == "https" or not request.certificate


async def survey(
    endpoints: Sequence[Endpoint],
    probes: Sequence[LiveProbe],
    context: LiveContext,
    limits: Limits,
    *,
    done: Callable[[HostResult], None] = lambda _: None,
    before: Callable[[Endpoint, Sent], None] = lambda _, __: None,
) -> list[HostResult]:
    """Ask all hosts; results stand in the order of ``endpoints``.

    ``done`` is told of each host, ``before`` of each request before it is sent.
    """
    requests = frozenset(planned(probes, context))
    overall = Pace(limits.rate)
    results: list[HostResult | None] = [None] * len(endpoints)
    waiting = iter(enumerate(endpoints))

    async def work() -> None:
        for place, endpoint in waiting:
            session = HostSession(
                endpoint, limits, requests, overall, context.follow, context.keys,
                partial(before, endpoint),
            )  # fmt: skip
            result = results[place] = await _host(session, probes, context)
            done(result)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(limits.hosts, len(endpoints))):
            group.create_task(work())
    return [one for one in results if one is not None]


async def _host(
    session: HostSession, probes: Sequence[LiveProbe], context: LiveContext
) -> HostResult:
    began, clock = time.time(), time.perf_counter()
    seen: list[Finding | Observed] = []
    failed: dict[str, str] = {}
    try:
        for probe in probes:
            try:
                seen += await probe.examine(session, context)
            except Exception as error:  # a plugin's mistake ends neither the host nor the run
                failed[probe.id] = describe_exception(error)
    finally:
        session.close()
    result = HostResult(
        session.endpoint, session.url, session.reached, session.ended, session.not_sent,
        began, round(time.perf_counter() - clock, 3), session.sent, session.elsewhere,
        failed=failed,
    )  # fmt: skip
    result.observations = [one for one in seen if isinstance(one, LiveObservation)]
    result.facts = [one for one in seen if isinstance(one, LiveFact)]
    result.findings = [
        replace(one, asset=result.asset, time=began) for one in seen if isinstance(one, Finding)
    ]
    return result
