"""Checks of property lists of iOS applications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.probes.client.checks.hosts import is_local
from buttress.rules.subject import Check, Subject, SubjectMatch

_TRANSPORT: Final = "NSAppTransportSecurity"
_EXCEPTIONS: Final = "NSExceptionDomains"
_WEAK: Final = ("TLSv1.0", "TLSv1.1")


def _domains(subject: Subject) -> Iterator[tuple[str, dict[str, object]]]:
    transport = subject.value.get(_TRANSPORT)
    domains = transport.get(_EXCEPTIONS) if isinstance(transport, dict) else None
    if isinstance(domains, dict):
        for name, settings in domains.items():
            if isinstance(settings, dict):
                yield name, settings


def _insecure_domains(subject: Subject) -> Iterator[SubjectMatch]:
    for name, settings in _domains(subject):
        keys = ("NSExceptionAllowsInsecureHTTPLoads", "NSTemporaryExceptionAllowsInsecureHTTPLoads")
        if any(settings.get(key) is True for key in keys) and not is_local(name):
            yield SubjectMatch(subject.line((_TRANSPORT, _EXCEPTIONS, name)), name)


def _weak_tls(subject: Subject) -> Iterator[SubjectMatch]:
    for name, settings in _domains(subject):
        version = settings.get("NSExceptionMinimumTLSVersion")
        if version in _WEAK and not is_local(name):
            yield SubjectMatch(
                subject.line((_TRANSPORT, _EXCEPTIONS, name)), f"{name} from {version} on"
            )


CHECKS: Final[dict[str, Check]] = {
    "ios-insecure-domains": _insecure_domains,
    "ios-weak-tls": _weak_tls,
}
