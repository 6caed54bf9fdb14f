"""Findings about what a server accepts over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.evidence.findings import Finding, Severity
from buttress.probes.link.reports import finding
from buttress.probes.link.tls.offers import TlsAnswers
from buttress.probes.link.tls.suites import (
    SSL2,
    SSL3,
    TLS12,
    TLS13,
    VERSION_NAMES,
    CipherSuite,
    Weakness,
    named,
    weak,
)
from buttress.protocols.live import LiveFact

_RULES: Final[tuple[tuple[Weakness, str], ...]] = (
    ("null", "no-encryption"),
    ("anonymous", "anonymous-key-exchange"),
    ("export", "export-suite"),
    ("rc4", "rc4-suite"),
    ("des", "des-suite"),
    ("64-bit block", "block-64-suite"),
    ("static key", "no-forward-secrecy"),
)
_SHOWN: Final = 4
_DH_BITS: Final = 2048
_DH_BROKEN: Final = 1024
_CURVE_NAMES: Final = {19: "secp192r1", 21: "secp224r1"}


def facts(answers: TlsAnswers) -> Iterator[LiveFact]:
    """What it accepts, version by version."""
    for version in answers.versions:
        suites = () if version == SSL2 else named(answers.suites[version])
        yield LiveFact(VERSION_NAMES[version], tuple(one.name for one in suites))


def findings(url: str, answers: TlsAnswers) -> Iterator[Finding]:
    """What is weak in what it accepts: one finding a kind, with all versions and suites."""
    yield from _protocols(url, answers)
    for kind, rule in _RULES:
        by_version = {
            version: found
            for version in answers.versions
            if version != SSL2 and (found := weak(named(answers.suites[version]), kind))
        }
        if by_version:
            names = list(dict.fromkeys(one.name for found in by_version.values() for one in found))
            yield finding(rule, url, what=_shown(names), proof=_proof(by_version))
    if 0 < answers.dh_bits < _DH_BITS:
        severity: Severity = "high" if answers.dh_bits < _DH_BROKEN else "medium"
        yield finding(
            "weak-ephemeral-key", url, severity=severity,
            what=f"a DH prime of {answers.dh_bits} bits",
            proof=f"ServerKeyExchange: {answers.dh_bits} bits",
        )  # fmt: skip
    if answers.weak_curve:
        name = _CURVE_NAMES.get(answers.weak_curve, f"number {answers.weak_curve}")
        yield finding(
            "weak-ephemeral-key", url, what=f"the curve {name}", proof=f"named curve {name}"
        )
    yield from _manners(url, answers)


def _protocols(url: str, answers: TlsAnswers) -> Iterator[Finding]:
    for version in answers.versions:
        if version < TLS12:
            yield finding(
                "obsolete-protocol", url, what=VERSION_NAMES[version],
                severity="high" if version <= SSL3 else None,
                proof=f"ServerHello of {VERSION_NAMES[version]}",
                references=("CVE-2014-3566",) if version == SSL3 else (),
            )  # fmt: skip
    if answers.versions and answers.versions[0] != TLS13:
        newest = VERSION_NAMES[answers.versions[0]]
        yield finding("no-tls-1-3", url, what=newest, proof=f"newest: {newest}")


def _manners(url: str, answers: TlsAnswers) -> Iterator[Finding]:
    if answers.compresses:
        yield finding("tls-compression", url, what="DEFLATE", proof="ServerHello: compression 1")
    if answers.secure_renegotiation is False:
        yield finding(
            "insecure-renegotiation", url, what="its hello has no renegotiation_info",
            proof="ServerHello without the extension 0xff01",
        )  # fmt: skip
    lowest = min((one for one in answers.versions if one >= SSL3), default=0)
    if answers.guards_fallback is False and lowest < TLS12:
        name = VERSION_NAMES[lowest]
        yield finding(
            "no-downgrade-protection", url,
            what=f"a hello of {name} that is marked as a fallback is accepted",
            proof=f"{name} with TLS_FALLBACK_SCSV: ServerHello",
        )  # fmt: skip


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _proof(by_version: dict[int, list[CipherSuite]]) -> str:
    return "; ".join(
        f"{VERSION_NAMES[version]}: {', '.join(one.name for one in found)}"
        for version, found in by_version.items()
    )
