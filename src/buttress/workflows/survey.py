"""Talks to running hosts: what runs there, what it offers to anybody, which flaws are known."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from buttress import extension
from buttress.errors import InputError, PluginError, debugging
from buttress.evidence.findings import SEVERITIES, Finding, Inspection
from buttress.evidence.places import LocatedFinding
from buttress.files.paths import absolute
from buttress.live.credential_file import DEFAULTS, read_credentials
from buttress.live.limits import Limits
from buttress.live.scope import Endpoint, endpoints, read_targets
from buttress.live.sent import Sent
from buttress.live.signed_request import read_signed_request
from buttress.live.survey import HostResult, dry_run, planned, survey
from buttress.packs.installed import installed
from buttress.probes.infrastructure.aig.pack_contents import has_packed
from buttress.protocols.live import (
    CanaryAddress,
    Credential,
    LiveContext,
    LiveProbe,
    LiveRequest,
    RecordedRequest,
)
from buttress.triage.filtering import SUPPRESSIONS, FilteredFindings, FindingFilter
from buttress.trials.loop import run_async
from buttress.workflows.advisories import OsvAdvisories
from buttress.workflows.survey_inspections import host_inspections
from buttress.workflows.survey_notes import survey_notes

if TYPE_CHECKING:
    from buttress.packs.knowledge import Knowledge
    from buttress.system.model import System
    from buttress.workflows.survey_progress import SurveyProgress

ACCEPTABLE: Final = 0
FOUND: Final = 1
UNDECIDED: Final = 3
IN_BROWSER: Final = "client"  # a layer that is asked only where it is named
LAYERS: Final = ("infrastructure", "link", "service", "client")
_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class SurveySettings:
    """What to ask and what counts.

    ``targets`` are URLs, ``HOST:PORT``, hosts and networks (with ``ports``); without any, those of
    ``system``, the assets with a ``url``. ``only`` and ``layers`` choose probes; where both are
    None, all but those of the client layer. ``rules`` is a folder of AI-Infra-Guard's
    rules, ``keys`` are those of users by name, ``openapi`` describes an API, ``credentials`` is a
    file of them or ``default``, ``signed`` one with a recorded request. ``listen`` is where hosts
    that are made to fetch an address reach this machine.
    With ``fail_on_skipped`` a survey also fails where a host was not asked all that was planned.
    The rest is as in ``ScanSettings``.
    """

    targets: Sequence[str] = ()
    targets_file: Path | None = None
    ports: Sequence[int] = ()
    system: System | None = None
    only: Sequence[str] | None = None
    layers: Sequence[str] | None = None
    rules: Path | None = None
    as_written: bool = False
    active: bool = False
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    openapi: Path | None = None
    credentials: Path | None = None
    signed: Path | None = None
    listen: CanaryAddress | None = None
    osv: Path | None = None
    limits: Limits = _LIMITS
    fail_on: str = "high"
    fail_on_skipped: bool = False
    suppressions: Path | None = None
    suppress: bool = True
    baseline: Path | None = None


@dataclass(slots=True)
class SurveyResult:
    """What a survey sent and saw. ``notes`` are what the user should know of its rules.

    ``layers`` are those of the probes that ran.
    """

    id: str
    began: float
    settings: SurveySettings
    hosts: list[HostResult]
    filtered: FilteredFindings
    inspections: list[Inspection]
    notes: list[str]
    layers: dict[str, str]

    def fails(self, one: LocatedFinding) -> bool:
        """Whether a finding is as grave as ``fail_on``."""
        least = self.settings.fail_on
        return bool(least) and (
            SEVERITIES.index(one.finding.severity) >= list(SEVERITIES).index(least)  # type: ignore[arg-type]
        )

    @property
    def not_reached(self) -> list[tuple[str, str]]:
        """URLs of hosts that gave no answer, and why."""
        return [(one.url, one.why or "no answer") for one in self.hosts if not one.reached]

    @property
    def partly_asked(self) -> list[tuple[str, str]]:
        """URLs of hosts that were not asked all that was planned, and why."""
        found = []
        for one in self.hosts:
            why = [f"the probe {probe} failed ({error})" for probe, error in one.failed.items()]
            if one.not_sent:
                why.append(f"{one.not_sent} requests were not sent: {one.why or 'out of budget'}")
            if one.reached and why:
                found.append((one.url, "; ".join(why)))
        return found

    @property
    def code(self) -> int:
        """0 acceptable, 1 found, 3 where no host was reached, for that proves nothing.

        With ``fail_on_skipped`` 3 also where not all was asked.
        """
        if any(map(self.fails, self.filtered.counting)):
            return FOUND
        if self.settings.fail_on_skipped and (self.not_reached or self.partly_asked):
            return UNDECIDED
        return ACCEPTABLE if any(one.reached for one in self.hosts) else UNDECIDED

    def document(self) -> dict[str, Any]:
        """The document ``buttress-survey/1``."""
        from buttress.documents.survey import document

        system = self.settings.system
        return document(
            self.id,
            self.began,
            name=system.name if system else "survey",
            hosts=self.hosts,
            filtered=self.filtered,
            inspections=self.inspections,
            notes=self.notes,
            layers=self.layers,
        )  # fmt: skip


class Surveyor:
    """A survey before anything is sent: its hosts, probes and plan.

    Raises:
        InputError: a target, a probe, a folder or a file is not what it must be.
    """

    def __init__(self, settings: SurveySettings, knowledge: Knowledge | None = None) -> None:
        self.settings = settings
        self.endpoints = _endpoints(settings)
        self.notes: list[str] = list(_unused_parts(settings))
        self.probes = _probes(settings, self.notes)
        self.context = LiveContext(
            knowledge=knowledge or installed(),
            rules=settings.rules,
            as_written=settings.as_written,
            active=settings.active,
            keys=settings.keys,
            openapi=settings.openapi,
            credentials=_credentials(settings.credentials),
            default_credentials=settings.credentials == DEFAULTS,
            signed=_signed(settings),
            canary=_canary(settings),
            links=any(one.layer == IN_BROWSER for one in self.probes),
            advisories=OsvAdvisories(settings.osv) if settings.osv is not None else None,
        )
        if (
            settings.as_written
            and settings.rules is None
            and not has_packed(self.context.knowledge)
        ):
            raise InputError(
                "needs --rules", field="--rules-as-written",
                expected="--rules FOLDER, or rules that `buttress pack install` installed",
            )  # fmt: skip
        self._filter = _filter(settings)

    @cached_property
    def requests(self) -> list[LiveRequest]:
        """Every request that may be sent to a host."""
        return planned(self.probes, self.context)

    def dry_run(self) -> Iterator[tuple[str, str, LiveRequest]]:
        """Method, URL and request of everything that may be sent; sends nothing."""
        return dry_run(self.endpoints, self.requests)

    def _ask_rest(self, progress: SurveyProgress) -> list[HostResult]:
        """The hosts that are done already, and what the others answer now, in their order."""
        every = self.endpoints
        self.endpoints = [one for one in every if progress.done(one) is None]
        try:
            asked = {
                one.endpoint: one for one in run_async(self.ask(progress.add, progress.before))
            }
        finally:
            progress.close()
            self.endpoints = every
        return [progress.done(one) or asked[one] for one in every]

    async def ask(
        self,
        done: Callable[[HostResult], None] = lambda _: None,
        before: Callable[[Endpoint, Sent], None] = lambda _, __: None,
    ) -> list[HostResult]:
        """Ask all hosts; results stand in the order of ``endpoints``.

        ``done`` is told of each host, ``before`` of each request before it is sent.
        """
        return await survey(
            self.endpoints, self.probes, self.context, self.settings.limits,
            done=done, before=before,
        )  # fmt: skip

    def run(self, out: Path | None = None, *, resume: bool = False) -> SurveyResult:
        """Ask all hosts.

        Args:
            out: a folder that keeps each request before it is sent, and each host that is done,
                until `remove_progress`.
            resume: go on with the survey that was cut off in ``out``.

        Raises:
            InputError: the folder can't be used, or there is nothing in it to go on with.
        """
        identifier, began = os.urandom(6).hex(), time.time()
        _ = self.requests  # what can't be used is told before anything is sent
        if out is None:
            hosts = run_async(self.ask())
        else:
            from buttress.workflows.survey_progress import SurveyProgress, settings_digest

            digest = settings_digest(
                self.probes, self.context, self.endpoints, self.settings.limits
            )
            progress = (
                SurveyProgress.resume(out, digest, self.endpoints)
                if resume
                else SurveyProgress.begin(out, digest, identifier, began, self.endpoints)
            )
            identifier, began = progress.id, progress.began
            if resume:
                self.notes.append(
                    "it was cut off and gone on with: hosts that were being asked then were asked "
                    f"anew; {sum(map(len, progress.cut.values()))} requests had been sent to them "
                    "before, whose answers are not recorded"
                )
            elif progress.note:
                self.notes.append(progress.note)
            hosts = self._ask_rest(progress)
        found = sorted(
            (_located(replace(one, run=identifier)) for host in hosts for one in host.findings),
            key=lambda one: (
                -SEVERITIES.index(one.finding.severity), one.finding.asset, one.finding.location,
            ),
        )  # fmt: skip
        inspections = [
            replace(one, run=identifier)
            for host in hosts
            for one in host_inspections(host, self.probes)
        ]
        return SurveyResult(
            identifier, began, self.settings, hosts,
            self._filter.apply(found, 0, datetime.now(UTC).date()),
            inspections, [*self.notes, *survey_notes(self.probes, self.context, hosts)],
            {one.id: one.layer for one in self.probes},
        )  # fmt: skip


def system_endpoints(system: System) -> list[Endpoint]:
    """The endpoints of the assets with a ``url``.

    Raises:
        InputError: a URL is none.
    """
    found = []
    for asset in system.assets:
        if asset.url:
            try:
                found += [replace(one, asset=asset.id) for one in endpoints([asset.url], ())]
            except InputError as error:
                raise InputError(
                    error.problem, field=f"assets.{asset.id}.url", expected=error.expected
                ) from None
    return found


def _endpoints(settings: SurveySettings) -> list[Endpoint]:
    targets = list(settings.targets)
    if settings.targets_file is not None:
        targets += read_targets(settings.targets_file)
    if targets:
        return endpoints(targets, settings.ports)
    found = system_endpoints(settings.system) if settings.system else []
    if not found:
        raise InputError(
            "nothing to ask", field="TARGET",
            expected="a target, --targets FILE, or a manifest with an asset that has a url",
        )  # fmt: skip
    return found


def _unused_parts(settings: SurveySettings) -> Iterator[str]:
    """Which URLs have a query or a fragment, which no request repeats."""
    assets = settings.system.assets if settings.system and not settings.targets else ()
    for url in (*settings.targets, *(one.url for one in assets if one.url)):
        shown = re.split(r"[?#]", url, maxsplit=1)[0]
        if "://" in url and shown != url:
            yield f"{shown}: the query of the URL is not used; requests go below its path"


def _credentials(path: Path | None) -> tuple[Credential, ...]:
    if path is None or path == DEFAULTS:
        return ()
    from buttress.probes.infrastructure.credentials import logins

    return read_credentials(path, {one.product for one in logins()})


def _canary(settings: SurveySettings) -> CanaryAddress:
    at = settings.listen
    if at is None:
        return CanaryAddress()
    problem, expected = "", "an address of this machine that the hosts can reach, such as 10.0.0.5"
    if not settings.active:
        problem, expected = "needs --active, since hosts are made to fetch it", "--active as well"
    elif ip_address(at.host).is_unspecified:
        problem = "names no address"
    else:
        try:
            with socket.create_server(
                (at.host, at.port), family=socket.AF_INET6 if ":" in at.host else socket.AF_INET
            ):
                pass
        except OSError as error:
            problem = f"can't listen at {at.host}, port {at.port}: {error.strerror or error}"
    if problem:
        raise InputError(problem, field="--listen", expected=expected)
    return at


def _signed(settings: SurveySettings) -> RecordedRequest | None:
    if settings.signed is None:
        return None
    if not settings.active:
        raise InputError(
            "needs --active, since the request is sent again", field="--signed",
            expected="--active as well",
        )  # fmt: skip
    return read_signed_request(settings.signed)


def live_probes(notes: list[str]) -> dict[str, LiveProbe]:
    """All live probes by name; one that can't be loaded is told in ``notes`` and left out."""
    found: dict[str, LiveProbe] = {}
    for name in extension.names("live_probes"):
        try:
            found[name] = extension.load("live_probes", name)
        except PluginError as error:
            if debugging():
                raise
            notes.append(f"left out: {error}")
    return found


def _probes(settings: SurveySettings, notes: list[str]) -> list[LiveProbe]:
    known = live_probes(notes)
    for name in settings.only or ():
        if name not in known:
            raise InputError(
                f"unknown live probe '{name}'", field="--only",
                expected="one of " + ", ".join(known),
            )  # fmt: skip
    for layer in settings.layers or ():
        if layer not in LAYERS:
            raise InputError(
                f"unknown layer '{layer}'", field="--layer",
                expected="one of " + ", ".join(LAYERS),
            )  # fmt: skip
    chosen = [
        probe
        for name, probe in known.items()
        if (settings.only is None or name in settings.only)
        and (
            probe.layer in settings.layers
            if settings.layers is not None
            else settings.only is not None or probe.layer != IN_BROWSER
        )
    ]
    if not chosen:
        raise InputError(
            "no live probe examines that", field="--layer",
            expected="one of " + ", ".join(sorted({probe.layer for probe in known.values()})),
        )  # fmt: skip
    return chosen


def _located(finding: Finding) -> LocatedFinding:
    return LocatedFinding(finding, finding.where.path, "", None)


def _filter(settings: SurveySettings) -> FindingFilter:
    file = settings.suppressions if settings.suppress else None
    if file is None and settings.suppress and Path(SUPPRESSIONS).is_file():
        file = Path(SUPPRESSIONS)
    suppressions = []
    if file is not None:
        from buttress.triage.suppressions import load

        suppressions = load(file)
    known = None
    if settings.baseline is not None:
        from buttress.triage import baseline

        known = baseline.read(settings.baseline)
    return FindingFilter(
        suppressions=suppressions,
        known=known,
        baseline_folder=absolute(settings.baseline.parent) if settings.baseline else "/",
        complete=False,
    )


def make_known(result: SurveyResult, path: Path) -> SurveyResult:
    """Write a baseline: what counted until now is known from now on.

    Raises:
        InputError: not writable.
    """
    from buttress.triage import baseline

    every = [*result.filtered.counting, *result.filtered.known]
    baseline.write(every, path)
    return replace(result, filtered=replace(result.filtered, counting=[], known=every))
