"""Looks at the hosts and builds of a watch: what is seen of each place, or why nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from buttress.drift.build_facts import build_facts
from buttress.drift.observed import PlaceView
from buttress.drift.page_probe import PageWatchProbe, WatchedPaths
from buttress.errors import InputError
from buttress.live.limits import Limits
from buttress.live.survey import HostResult, survey
from buttress.packs.installed import installed
from buttress.probes.infrastructure.served_models import SERVED_MODELS
from buttress.protocols.live import LiveContext, LiveProbe
from buttress.trials.loop import run_async
from buttress.workflows.survey_settings import live_probes
from buttress.workflows.watch.settings import WatchedBuild, WatchedHost, WatchSettings

HOST: Final = "host"
BUILD: Final = "build"
CLOSED: Final = "closed"
OPEN: Final = "open"
_BUSY: Final = 429
_FAILED: Final = 500
_NOT_IMPLEMENTED: Final = 501
_NO_VERSION: Final = "version unknown"
_LIMITS: Final = Limits(body_bytes=8 << 20, host_bytes=96 << 20)
_CHAIN: Final = "certificate chain"  # tells dates, which change with each renewal
_UNANSWERED: Final = "TLS offers without an answer"
# What the headers, cookies and forms of watched pages tell as facts, findings would tell again.
_TOLD_BY_PAGES: Final = frozenset(
    ("hsts-missing", "cookie-attributes", "referrer-policy", "form-in-url", "mixed-content",
     "redirect-to-plain", "secret-in-url")
)  # fmt: skip
_SAME_LACK: Final = {
    "credentials-without-tls": "no-tls"
}  # told instead where a password is asked for


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


class KnownFacts(Protocol):
    """What is known of the places of assets."""

    def differs(self, asset: str, place: str, facts: Mapping[str, str]) -> bool:
        """Whether facts differ from the reference of a place."""

    def status(self, asset: str, place: str) -> int:
        """The HTTP status that a place had last, 0 for unknown."""

    def present(self, asset: str, place: str) -> Mapping[str, str]:
        """The facts that a place had last."""


def look_at_hosts(
    settings: WatchSettings, hosts: Sequence[WatchedHost], known: KnownFacts
) -> Iterator[AssetView]:
    """What is seen of hosts; what is not seen at the first attempt is asked once more."""
    if not hosts:
        return
    views = _ask(settings, hosts, known)
    again = [host for host, view in zip(hosts, views, strict=True) if view.blind]
    second = {view.asset: view for view in _ask(settings, again, known)} if again else {}
    for view in views:
        yield second.get(view.asset, view)


def _ask(
    settings: WatchSettings, hosts: Sequence[WatchedHost], known: KnownFacts
) -> list[AssetView]:
    watched: dict[str, WatchedPaths] = {}
    paths = [
        WatchedPaths(
            one.pages,
            one.interfaces,
            partial(known.differs, one.asset),
            partial(known.status, one.asset),
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
        _seen(host, result, mine.views, known.present(host.asset, HOST))
        for host, result, mine in zip(hosts, results, paths, strict=True)
    ]


def _seen(
    host: WatchedHost, result: HostResult, pages: Sequence[PlaceView], known: Mapping[str, str]
) -> AssetView:
    spoke = any(one.status > 1 for one in result.sent)  # 1 stands for answers beside HTTP
    said = any(one.answered and one.bytes for one in result.sent)
    if not (spoke or (said and not host.endpoint.scheme)):
        if host.endpoint.scheme:
            return AssetView(host.asset, problem=result.why or "no answer")
        return AssetView(host.asset, [PlaceView(HOST, [{"port": CLOSED}], frozenset(["port"]))])
    return AssetView(host.asset, [*_where_not_busy(_host(result), result, known), *pages])


def _where_not_busy(
    view: PlaceView, result: HostResult, known: Mapping[str, str]
) -> Iterator[PlaceView]:
    """What a host that refuses some requests for now says nothing of is no change.

    That is a product, and what was found at a path that it refuses; an error that stays hides
    nothing else.
    """
    busy = {
        one.url: one.status
        for one in result.sent
        if one.status == _BUSY or (one.status >= _FAILED and one.status != _NOT_IMPLEMENTED)
    }
    if view.problem or not busy:
        yield view
        return
    facts = view.samples[-1]
    refused = {url.removeprefix(result.url) or "/" for url in busy}
    unsure = {
        name
        for name in known
        if name not in facts
        and (name.startswith(("product ", "served-model ")) or _path_of(name) in refused)
    } | {name for name, value in facts.items() if value == _NO_VERSION != known.get(name, value)}
    told = f"status {next(iter(busy.values()))} to {len(busy)} requests"
    if not known and result.url + "/" in busy:
        yield PlaceView(HOST, problem=told)
    elif unsure:
        yield PlaceView(HOST, view.samples, frozenset({*known, *facts} - unsure))
        yield PlaceView(HOST, problem=told)
    else:
        yield view


def _path_of(name: str) -> str:
    """The path that the name of a fact about a finding ends with."""
    return name.split(" ", 3)[-1] if name.startswith("finding ") else ""


def _host(result: HostResult) -> PlaceView:
    """Products, models, TLS, certificate and findings of a host."""
    if result.failed:
        probe, error = next(iter(result.failed.items()))
        return PlaceView(HOST, problem=f"{probe} failed ({error})")
    if result.not_sent:
        return PlaceView(HOST, problem=f"given up: {result.why}")
    facts: dict[str, str] = {"port": OPEN}
    if any(one.status > 1 for one in result.sent):
        facts["scheme"] = result.url.partition("://")[0]
    for product in result.observations:
        facts[f"product {product.product}"] = product.version or _NO_VERSION
    unsure = any(one.name == _UNANSWERED for one in result.facts)
    values: dict[str, set[str]] = {}
    for one in result.facts:
        if one.name.startswith("certificate ") and one.name != _CHAIN:
            values.setdefault(one.name, set()).update(one.values)
        elif one.name.startswith(("TLS", "SSL")) and one.name != _UNANSWERED and not unsure:
            values.setdefault(f"tls {one.name}", set()).update(one.values)
        elif one.name == SERVED_MODELS:
            for text in one.values:
                name, _, build = text.partition(" = ")
                facts[f"served-model {name}"] = build or "served"
    facts |= {name: ", ".join(sorted(each)) for name, each in values.items()}
    for finding in result.findings:
        rule = _SAME_LACK.get(finding.rule, finding.rule)
        if rule not in _TOLD_BY_PAGES:
            place = finding.where.path.removeprefix(result.url) or "/"
            facts[f"finding {finding.probe} {rule} {place}"] = finding.severity
    return PlaceView(HOST, [facts])


def look_at_builds(builds: Sequence[WatchedBuild]) -> Iterator[AssetView]:
    """What is seen of builds."""
    for build in builds:
        if not build.path.exists():
            yield AssetView(build.asset, problem="it is not there")
            continue
        try:
            facts = build_facts(build.path, appid=build.appid)
        except InputError as error:
            yield AssetView(build.asset, problem=error.problem)
        else:
            yield AssetView(build.asset, [PlaceView(BUILD, [facts])])
