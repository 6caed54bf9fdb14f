"""What a survey sent and saw as data: the document ``buttress-survey/1``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, overload

from buttress.documents.scan import covered, filtered_rows, run_of

if TYPE_CHECKING:
    from buttress.evidence.findings import Inspection
    from buttress.live.sent import Sent
    from buttress.live.survey import HostResult
    from buttress.protocols.live import LiveObservation, LiveRequest
    from buttress.triage.filtering import FilteredFindings

LIMITS: Final = (
    "A version match proves no exploit: the flaw may be patched, or out of reach.",
    "Silence is not safety: a product may hide its name, and a rule may be missing.",
    "What was not reached was not tested.",
)


def document(
    identifier: str,
    began: float,
    *,
    name: str,
    hosts: Sequence[HostResult],
    filtered: FilteredFindings,
    inspections: Sequence[Inspection],
    notes: Sequence[str],
    layers: Mapping[str, str],
) -> dict[str, Any]:
    """The document; ``name`` is that of the system, or ``survey``, ``layers`` those of probes."""
    numbers: dict[LiveRequest, int] = {}
    rows = [_host(one, numbers) for one in hosts]
    findings = filtered_rows(filtered)
    findings["notes"] = [*findings["notes"], *notes]
    return {
        "schema": "buttress-survey/1",
        "system": {
            "name": name,
            "assets": [{"id": one.asset, "location": one.url} for one in hosts],
        },
        "run": run_of(identifier, began),
        "layers": dict(layers),
        **findings,
        "coverage": {"covered": covered(inspections)},
        "requests": [request_row(one) for one in numbers],
        "hosts": rows,
        "limits": list(LIMITS),
    }


def request_row(one: LiveRequest) -> dict[str, Any]:
    """A request as data, without secrets."""
    from buttress.files.shown_url import without_keys
    from buttress.live.sent import shown_body, shown_headers

    return {
        "method": one.method,
        "path": without_keys(one.path),
        "headers": shown_headers(one),
        "body": shown_body(one),
    }


def sent_row(one: Sent, number: int) -> dict[str, Any]:
    """A request that was sent, as data; ``number`` tells which it is."""
    return {
        "request": number,
        "url": one.url,
        "time": round(one.time, 3),
        "seconds": one.seconds,
        "status": one.status,
        "bytes": one.bytes,
        "note": one.note,
    }


class SentRows(Sequence[dict[str, Any]]):
    """Rows of what was sent to a host, each made when it is read: those of many hosts take memory.

    ``numbers`` are those of the requests; new ones are added.
    """

    def __init__(self, sent: Sequence[Sent], numbers: dict[LiveRequest, int]) -> None:
        self._sent, self._numbers = sent, numbers
        for one in sent:
            numbers.setdefault(one.request, len(numbers))

    def __len__(self) -> int:
        return len(self._sent)

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> SentRows: ...
    def __getitem__(self, at: int | slice) -> dict[str, Any] | SentRows:
        if isinstance(at, slice):
            return SentRows(self._sent[at], self._numbers)
        return sent_row(self._sent[at], self._numbers[self._sent[at].request])


def _host(one: HostResult, numbers: dict[LiveRequest, int]) -> dict[str, Any]:
    return {
        "asset": one.asset,
        "url": one.url,
        "reached": one.reached,
        "ended": one.why,
        "not_sent": one.not_sent,
        "seconds": one.seconds,
        "products": [_product(each) for each in one.observations],
        "facts": [{"name": each.name, "values": list(each.values)} for each in one.facts],
        "elsewhere": dict(one.elsewhere),
        "failed": dict(one.failed),
        "sent": SentRows(one.sent, numbers),
    }


def _product(one: LiveObservation) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}
