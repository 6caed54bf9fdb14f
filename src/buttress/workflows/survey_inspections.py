"""What a survey looked at, as inspections of the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from buttress.evidence.findings import Inspection
from buttress.live.sent import shown_headers
from buttress.live.survey import HostResult
from buttress.protocols.live import LiveProbe


def inspections_of(
    hosts: Iterable[HostResult], probes: Sequence[LiveProbe]
) -> Iterator[Inspection]:
    """What each probe looked at; the requests are in ``extra``, under ``sent``."""
    for host in hosts:
        for one in host_inspections(host, probes):
            yield with_requests(one, host)


def host_inspections(host: HostResult, probes: Sequence[LiveProbe]) -> Iterator[Inspection]:
    """What each probe looked at, without the requests, which take memory."""
    skipped = [f"not all was asked: {host.why}"] if host.why else []
    if host.not_sent:
        skipped.append(f"{host.not_sent} requests were not sent")
    if not host.reached:
        skipped = [f"not reached: {host.why or 'no answer'}"]
    for probe in probes:
        failure = host.failed.get(probe.id)
        yield Inspection(
            probe.id,
            probe.version,
            host.asset,
            files=sum(1 for one in host.sent if one.answered),
            bytes=sum(one.bytes for one in host.sent),
            skipped=(*skipped, *((f"the probe failed ({failure})",) if failure else ())),
            seconds=host.seconds,
            time=host.began,
        )


def with_requests(inspection: Inspection, host: HostResult) -> Inspection:
    """The inspection with every request that was sent to its host, for the evidence."""
    sent = [
        {
            "method": one.request.method,
            "url": one.url,
            "headers": shown_headers(one.request),
            "time": round(one.time, 3),
            "status": one.status,
            "note": one.note,
        }
        for one in host.sent
    ]
    return replace(inspection, extra={"sent": sent})
