"""What a change of each kind of fact weighs, and which barrier it speaks about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from buttress.evidence.findings import SEVERITIES, Severity

INFRASTRUCTURE: Final = "infrastructure-live"
LINK: Final = "link-live"
SERVICE: Final = "service-live"
CLIENT: Final = "client"


class KindOfFact(NamedTuple):
    """Severity where a fact of the kind appears or changes, and where it goes, and the probe."""

    appears: Severity
    goes: Severity
    probe: str


_KINDS: Final[Mapping[str, KindOfFact]] = {
    # hosts
    "port": KindOfFact("high", "medium", INFRASTRUCTURE),
    "scheme": KindOfFact("high", "high", LINK),
    "product": KindOfFact("medium", "low", INFRASTRUCTURE),
    "served-model": KindOfFact("high", "medium", SERVICE),
    "tls": KindOfFact("medium", "medium", LINK),
    "certificate": KindOfFact("medium", "medium", LINK),
    # pages
    "status": KindOfFact("medium", "medium", SERVICE),
    "redirect": KindOfFact("medium", "low", SERVICE),
    "content-type": KindOfFact("low", "low", SERVICE),
    "title": KindOfFact("low", "low", CLIENT),
    "header": KindOfFact("medium", "medium", SERVICE),
    "csp": KindOfFact("medium", "high", CLIENT),
    "csp-report-only": KindOfFact("low", "low", CLIENT),
    "cookie": KindOfFact("medium", "low", LINK),
    "script": KindOfFact("high", "low", CLIENT),
    "handler": KindOfFact("medium", "low", CLIENT),
    "form": KindOfFact("high", "low", CLIENT),
    "frame": KindOfFact("high", "low", CLIENT),
    "base": KindOfFact("high", "medium", CLIENT),
    "refresh": KindOfFact("high", "low", CLIENT),
    "link": KindOfFact("low", "info", CLIENT),
    "media": KindOfFact("low", "info", CLIENT),
    "style": KindOfFact("medium", "info", CLIENT),
    "web-manifest": KindOfFact("low", "info", CLIENT),
    "meta": KindOfFact("low", "info", CLIENT),
    # interfaces
    "server": KindOfFact("medium", "low", SERVICE),
    "security-scheme": KindOfFact("medium", "high", SERVICE),
    "operation": KindOfFact("medium", "low", SERVICE),
    # builds
    "endpoint": KindOfFact("medium", "low", CLIENT),
    "power": KindOfFact("medium", "info", CLIENT),
    "text": KindOfFact("low", "low", CLIENT),
    "credential": KindOfFact("critical", "info", CLIENT),
    "model": KindOfFact("high", "medium", CLIENT),
    "program": KindOfFact("medium", "low", CLIENT),
    "package": KindOfFact("medium", "medium", CLIENT),
    "permission": KindOfFact("medium", "info", CLIENT),
    "permissions": KindOfFact("high", "info", CLIENT),
    "host_permissions": KindOfFact("high", "info", CLIENT),
    "content-script": KindOfFact("high", "info", CLIENT),
    "component": KindOfFact("medium", "info", CLIENT),
    "deep-link": KindOfFact("medium", "info", CLIENT),
    "purpose": KindOfFact("medium", "info", CLIENT),
    "setting": KindOfFact("low", "low", CLIENT),
}
# Settings of builds whose value is a finding of `scan`: the same severity as there.
_GRAVE_SETTINGS: Final[Mapping[str, tuple[re.Pattern[str], Severity]]] = {
    "NSAppTransportSecurity": (
        re.compile(
            r'"(?:NSAllowsArbitraryLoads|NS(?:Temporary)?ExceptionAllowsInsecureHTTPLoads)":true'
        ),
        "medium",
    ),
    "debuggable": (re.compile("true"), "high"),
    "usesCleartextTraffic": (re.compile("true"), "medium"),
    "content_security_policy": (re.compile("(?<!wasm-)unsafe-eval"), "medium"),
}
_OTHER: Final = KindOfFact("low", "low", CLIENT)
_SHORT: Final = 5  # words, its kind among them, of a text that is a label
_FROM_ELSEWHERE: Final = ("script", "frame", "form", "style")


def kind_of(name: str) -> str:
    """The kind of a fact by its name."""
    return name.partition(" ")[0]


def probe_of(name: str) -> str:
    """The probe whose barrier a fact speaks about."""
    kind = kind_of(name)
    if kind == "finding":
        return name.split(" ", 2)[1]
    return _KINDS.get(kind, _OTHER).probe


def severity_of(name: str, after: str | None) -> Severity:
    """How grave it is that a fact has this value now; None where the fact is not there any more.

    Findings have the severity that they are told with. A script, frame or form of the page's own
    host weighs less than one of another. A page that turns up with an error, or asks for a password
    where it did not, weighs little.
    """
    kind = kind_of(name)
    if kind == "finding":
        return _severity_named(after) if after is not None else "info"
    known = _KINDS.get(kind, _OTHER)
    if after is None:
        return known.goes
    if kind == "text" and len(name.split()) <= _SHORT and name.isascii():
        return "info"
    if kind == "setting":
        pattern, severity = _GRAVE_SETTINGS.get(name.partition(" ")[2], (None, known.appears))
        return severity if pattern is not None and pattern.search(after) else known.appears
    rest = name.split(" ", 2)[-1] if kind == "form" else name.partition(" ")[2]
    if kind in _FROM_ELSEWHERE and "://" not in rest:
        return "medium" if kind == "form" else "low"
    if kind == "operation" and name.endswith("#security"):
        return "critical" if after.startswith("none") else "high"
    return known.appears


def _severity_named(text: str) -> Severity:
    return next((one for one in SEVERITIES if one == text), "medium")
