"""A survey for people, in the terminal: hosts, products, findings, and what was not asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from buttress.files.visible import visible
from buttress.live.sent import KEY_NOT_SENT
from buttress.report.scan_terminal import summary

if TYPE_CHECKING:
    from buttress.triage.filtering import FilteredFindings

_TLS: Final = ("SSL 2", "SSL 3", "TLS 1.")
_BUSY: Final = 429
_SHOWN: Final = 3  # findings of one rule at one place


def show(made: Mapping[str, Any], filtered: FilteredFindings, *, verbose: bool = False) -> None:
    """Print what answered, the findings, gravest first, and the limits of the result."""
    for line in lines(made, filtered, verbose=verbose):
        print(visible(line))


def lines(
    made: Mapping[str, Any], filtered: FilteredFindings, *, verbose: bool = False
) -> Iterator[str]:
    """The lines that ``show`` prints."""
    for host in made["hosts"]:
        yield from _host(
            host, products="infrastructure" in made["layers"].values(), verbose=verbose
        )
    yield from _findings(made["findings"], verbose=verbose)
    yield from made["notes"]
    yield summary(filtered)
    hosts = made["hosts"]
    reached = sum(one["reached"] for one in hosts)
    sent = sum(map(requests_sent, hosts))
    missing = sum(one["not_sent"] for one in hosts)
    yield (
        f"Reached {reached:,} of {len(hosts):,} hosts and ports with {sent:,} requests"
        + (f"; {missing:,} were not sent to hosts that were given up" if missing else "")
        + "."
    )
    yield from made["limits"]


def requests_sent(host: Mapping[str, Any]) -> int:
    """How many requests went out to a host of a survey's document."""
    return sum(1 for one in host["sent"] if not one["note"].startswith(KEY_NOT_SENT))


def _host(host: Mapping[str, Any], *, products: bool, verbose: bool) -> Iterator[str]:
    if not host["reached"]:
        yield f"{host['url']}: not reached: {host['ended'] or 'no answer'}"
        return
    named = ", ".join(
        f"{one['name']} {one['version'] or '(version not told)'}" for one in host["products"]
    )
    layers = ", ".join(one["name"] for one in host["facts"] if one["name"].startswith(_TLS))
    nothing = "no product known" if products else "reached"
    yield f"{host['url']}: {', '.join(filter(None, (named, layers))) or nothing}"
    if host["ended"]:
        yield f"  given up: {host['ended']}; {host['not_sent']} requests were not sent"
    if busy := sum(one["status"] == _BUSY for one in host["sent"]):
        yield f"  {busy} requests were answered with {_BUSY} (too many requests): not all was asked"
    for probe, error in host["failed"].items():
        yield f"  {probe} failed: {error}"
    for address, how in host["elsewhere"].items():
        yield f"  {how} leads to {address}, which was not contacted"
    if verbose:
        for one in host["products"]:
            yield f"  {one['name']}: {one['url']}: {one['proof']}"
            if one["version_proof"]:
                yield f"  version: {one['version_url']}: {one['version_proof']}"
        for one in host["facts"]:
            yield f"  {one['name']}: {', '.join(one['values'])}"


def _findings(findings: Sequence[Mapping[str, Any]], *, verbose: bool) -> Iterator[str]:
    """Each finding; of many with one rule at one place the gravest, unless all are wanted."""
    counts = Counter((one["rule"], one["location"]) for one in findings)
    told: Counter[tuple[str, str]] = Counter()
    for one in findings:
        key = one["rule"], one["location"]
        told[key] += 1
        if not verbose and told[key] > _SHOWN:
            if told[key] == _SHOWN + 1:
                yield f"         {counts[key] - _SHOWN} more of {key[0]} at {key[1]} (--verbose)"
            continue
        yield f"{one['severity']:8} {one['location']}  [{one['rule']}]"
        yield f"         {one['message']}"
        if verbose:
            if one["proof"]:
                yield f"         proof: {one['proof']}"
            yield f"         {one['remedy']}"
