"""What a survey is to ask: its settings, and the targets, probes and files that they name."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from buttress import extension
from buttress.errors import InputError, PluginError, debugging
from buttress.files.paths import absolute
from buttress.live.credential_file import DEFAULTS, read_credentials
from buttress.live.limits import Limits
from buttress.live.scope import Endpoint, endpoints, read_targets
from buttress.live.signed_request import read_signed_request
from buttress.protocols.live import (
    CanaryAddress,
    Credential,
    LiveProbe,
    RecordedRequest,
)
from buttress.triage.filtering import SUPPRESSIONS, FindingFilter

if TYPE_CHECKING:
    from buttress.system.model import System

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


def chosen_endpoints(settings: SurveySettings) -> list[Endpoint]:
    """What is asked: the named targets, else the assets of the system.

    Raises:
        InputError: a target is none, or there is nothing to ask.
    """
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


def unused_parts(settings: SurveySettings) -> Iterator[str]:
    """Which URLs have a query or a fragment, which no request repeats."""
    assets = settings.system.assets if settings.system and not settings.targets else ()
    for url in (*settings.targets, *(one.url for one in assets if one.url)):
        shown = re.split(r"[?#]", url, maxsplit=1)[0]
        if "://" in url and shown != url:
            yield f"{shown}: the query of the URL is not used; requests go below its path"


def chosen_credentials(path: Path | None) -> tuple[Credential, ...]:
    """Those of a file; none for the default ones, which products bring."""
    if path is None or path == DEFAULTS:
        return ()
    from buttress.probes.infrastructure.credentials import logins

    return read_credentials(path, {one.product for one in logins()})


def canary_address(settings: SurveySettings) -> CanaryAddress:
    """Where hosts that are made to fetch an address reach this machine.

    Raises:
        InputError: the address can't be used, or the survey only reads.
    """
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


def signed_request(settings: SurveySettings) -> RecordedRequest | None:
    """The recorded request that is sent again, where one is named.

    Raises:
        InputError: the file is none, or the survey only reads.
    """
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


def chosen_probes(settings: SurveySettings, notes: list[str]) -> list[LiveProbe]:
    """The live probes that names and layers choose; ``notes`` tells which can't be loaded.

    Raises:
        InputError: a probe or a layer is unknown, or none is left.
    """
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


def finding_filter(settings: SurveySettings) -> FindingFilter:
    """What leaves findings out: suppressions and a baseline.

    Raises:
        InputError: a file is not what it must be.
    """
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
