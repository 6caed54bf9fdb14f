"""A survey for people, in the terminal: hosts, products, findings, and what was not asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from buttress.files.visible import visible
from buttress.report.scan_terminal import summary

if TYPE_CHECKING:
    from buttress.triage.filtering import FilteredFindings


def show(made: Mapping[str, Any], filtered: FilteredFindings, *, verbose: bool = False) -> None:
    """Print what answered, the findings, gravest first, and the limits of the result."""
    for line in lines(made, filtered, verbose=verbose):
        print(visible(line))


def lines(
    made: Mapping[str, Any], filtered: FilteredFindings, *, verbose: bool = False
) -> Iterator[str]:
    """The lines that ``show`` prints."""
    for host in made["hosts"]:
        yield from _host(host, verbose=verbose)
    for finding in made["findings"]:
        yield f"{finding['severity']:8} {finding['location']}  [{finding['rule']}]"
        yield f"         {finding['message']}"
        if verbose:
            if finding["proof"]:
                yield f"         proof: {finding['proof']}"
            yield f"         {finding['remedy']}"
    yield from made["notes"]
    yield summary(filtered)
    hosts = made["hosts"]
    reached = sum(one["reached"] for one in hosts)
    sent = sum(len(one["sent"]) for one in hosts)
    missing = sum(one["not_sent"] for one in hosts)
    yield (
        f"Reached {reached:,} of {len(hosts):,} hosts and ports with {sent:,} requests"
        + (f"; {missing:,} were not sent to hosts that were given up" if missing else "")
        + "."
    )
    yield from made["limits"]


def _host(host: Mapping[str, Any], *, verbose: bool) -> Iterator[str]:
    if not host["reached"]:
        yield f"{host['url']}: not reached: {host['ended'] or 'no answer'}"
        return
    named = ", ".join(
        f"{one['name']} {one['version'] or '(version not told)'}" for one in host["products"]
    )
    yield f"{host['url']}: {named or 'no product known'}"
    if host["ended"]:
        yield f"  given up: {host['ended']}; {host['not_sent']} requests were not sent"
    for probe, error in host["failed"].items():
        yield f"  {probe} failed: {error}"
    for address, how in host["elsewhere"].items():
        yield f"  {how} leads to {address}, which was not contacted"
    if verbose:
        for one in host["products"]:
            yield f"  {one['name']}: {one['url']}: {one['proof']}"
            if one["version_proof"]:
                yield f"  version: {one['version_url']}: {one['version_proof']}"
