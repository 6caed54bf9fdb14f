"""Looks at the hosts and builds of a watch: what is seen of each place, or why nothing is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from buttress.drift.build_facts import build_facts
from buttress.drift.observed import PlaceView
from buttress.drift.page_probe import PageWatchProbe, WatchedPaths
from buttress.errors import InputError
from buttress.live.limits import Limits
from buttress.live.survey import HostResult, survey
from buttress.packs.installed import installed
from buttress.protocols.live import LiveContext, LiveProbe
from buttress.trials.loop import run_async
from buttress.workflows.survey import live_probes
from buttress.workflows.watch.settings import WatchedBuild, WatchedHost, WatchSettings

HOST: Final = "host"
BUILD: Final = "build"
CLOSED: Final = "closed"
OPEN: Final = "open"
_LIMITS: Final = Limits(body_bytes=8 << 20, host_bytes=96 << 20)
_CHAIN: Final = "certificate chain"  # tells dates, which change with each renewal
_UNANSWERED: Final = "TLS offers without an answer"
# What the headers, cookies and forms of watched pages tell as facts, findings would tell again.
_TOLD_BY_PAGES: Final = frozenset(
    ("hsts-missing", "cookie-attributes", "referrer-policy", "form-in-url", "mixed-content",
     "redirect-to-plain", "credentials-without-tls", "secret-in-url")
)  # fmt: skip


@dataclass(slots=True)
class AssetView:
    """What a check saw of an asset. ``problem`` says why nothing was seen, empty where it was."""

    asset: str
    places: list[PlaceView] = field(default_factory=list)
    problem: str = ""

    @property
    def blind(self) -> str:
        """Why something was not seen; empty where all was."""
        if self.problem:
            return self.problem
        unseen = [one for one in self.places if one.problem]
        return "; ".join(f"{one.place}: {one.problem}" for one in unseen[:3])


Differs = Callable[[str, str, Mapping[str, str]], bool]
Status = Callable[[str, str], int]


def look_at_hosts(
    settings: WatchSettings, hosts: Sequence[WatchedHost], differs: Differs, status: Status
) -> Iterator[AssetView]:
    """What is seen of hosts; what is not seen at the first attempt is asked once more.

    Args:
        settings: of the watch.
        hosts: those to look at.
        differs: whether facts of an asset's place differ from its reference.
        status: the status that a place of an asset had last, 0 for unknown.
    """
    if not hosts:
        return
    views = _ask(settings, hosts, differs, status)
    again = [host for host, view in zip(hosts, views, strict=True) if view.blind]
    second = {view.asset: view for view in _ask(settings, again, differs, status)} if again else {}
    for view in views:
        yield second.get(view.asset, view)


def _ask(
    settings: WatchSettings, hosts: Sequence[WatchedHost], differs: Differs, status: Status
) -> list[AssetView]:
    watched: dict[str, WatchedPaths] = {}
    paths = [
        WatchedPaths(
            one.pages,
            one.interfaces,
            lambda place, facts, asset=one.asset: differs(asset, place, facts),  # type: ignore[misc]
            lambda place, asset=one.asset: status(asset, place),  # type: ignore[misc]
        )
        for one in hosts
    ]
    for host, mine in zip(hosts, paths, strict=True):
        for scheme in host.endpoint.schemes:
            watched[host.endpoint.url(scheme)] = mine
    chosen: list[LiveProbe] = [
        probe for probe in live_probes([]).values() if probe.layer in settings.layers
    ]
    context = LiveContext(knowledge=installed(), links=True)
    probes = [*chosen, PageWatchProbe(watched)]
    results = run_async(survey([one.endpoint for one in hosts], probes, context, _LIMITS))
    return [
        _seen(host, result, mine.views)
        for host, result, mine in zip(hosts, results, paths, strict=True)
    ]


def _seen(host: WatchedHost, result: HostResult, pages: Sequence[PlaceView]) -> AssetView:
    spoke = any(one.status > 1 for one in result.sent)  # 1 stands for answers beside HTTP
    said = any(one.answered and one.bytes for one in result.sent)
    if not (spoke or (said and not host.endpoint.scheme)):
        if host.endpoint.scheme:
            return AssetView(host.asset, problem=result.why or "no answer")
        return AssetView(host.asset, [PlaceView(HOST, [{"port": CLOSED}], frozenset(["port"]))])
    return AssetView(host.asset, [_host(result), *pages])


def _host(result: HostResult) -> PlaceView:
    """Products, TLS, certificate and findings of a host."""
    if result.failed:
        probe, error = next(iter(result.failed.items()))
        return PlaceView(HOST, problem=f"{probe} failed ({error})")
    if result.not_sent:
        return PlaceView(HOST, problem=f"given up: {result.why}")
    facts: dict[str, str] = {"port": OPEN}
    if any(one.status > 1 for one in result.sent):
        facts["scheme"] = result.url.partition("://")[0]
    for product in result.observations:
        facts[f"product {product.product}"] = product.version or "version unknown"
    unsure = any(one.name == _UNANSWERED for one in result.facts)
    values: dict[str, set[str]] = {}
    for one in result.facts:
        if one.name.startswith("certificate ") and one.name != _CHAIN:
            values.setdefault(one.name, set()).update(one.values)
        elif one.name.startswith(("TLS", "SSL")) and one.name != _UNANSWERED and not unsure:
            values.setdefault(f"tls {one.name}", set()).update(one.values)
    facts |= {name: ", ".join(sorted(each)) for name, each in values.items()}
    for finding in result.findings:
        if finding.rule not in _TOLD_BY_PAGES:
            place = finding.where.path.removeprefix(result.url) or "/"
            facts[f"finding {finding.probe} {finding.rule} {place}"] = finding.severity
    return PlaceView(HOST, [facts])


def look_at_builds(builds: Sequence[WatchedBuild]) -> Iterator[AssetView]:
    """What is seen of builds."""
    for build in builds:
        try:
            facts = build_facts(build.path, appid=build.appid)
        except InputError as error:
            yield AssetView(build.asset, problem=error.problem)
        else:
            yield AssetView(build.asset, [PlaceView(BUILD, [facts])])
