"""What is asked of a server over TLS: which versions and suites, its certificates, its manners."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from buttress.probes.link.tls.client_hello import (
    FALLBACK,
    WEAK_GROUPS,
    Authentication,
    ClientHello,
    read_answer,
)
from buttress.probes.link.tls.handshake_keys import KEYED_GROUPS
from buttress.probes.link.tls.server_flight import ServerFlight
from buttress.probes.link.tls.suites import (
    SSL2,
    SSL3,
    TLS10,
    TLS11,
    TLS12,
    TLS13,
    named,
    offers,
)
from buttress.protocols.live import LiveRequest, Session

VERSIONS: Final = (TLS13, TLS12, TLS11, TLS10, SSL3)
_PROTOCOL_VERSION: Final = 70  # the alert of that name
_INAPPROPRIATE_FALLBACK: Final = 86
_NAMED_CURVE: Final = 3


@dataclass(slots=True)
class TlsAnswers:
    """What a server accepts. ``suites`` are by version, in the order of its choice.

    ``chains`` are its certificates (DER), each chain once. ``unanswered`` are offers to which
    nothing came, or nothing that could be read: what they ask for is not known. ``dh_bits`` and
    ``weak_curve`` are of ephemeral keys, 0 where there are none. ``guards_fallback`` is None where
    no lower version could be offered.
    """

    suites: dict[int, list[int]] = field(default_factory=dict)
    chains: list[tuple[list[bytes], bytes]] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    compresses: bool = False
    secure_renegotiation: bool | None = None
    asks_certificate: bool = False
    guards_fallback: bool | None = None
    dh_bits: int = 0
    weak_curve: int = 0

    @property
    def versions(self) -> list[int]:
        """The versions that it speaks, newest first."""
        return sorted((one for one, found in self.suites.items() if found), reverse=True)


def plan() -> list[LiveRequest]:
    """Every offer; one with fewer suites, down to one, counts as planned."""
    found = [
        _request(ClientHello(version, part)) for version in VERSIONS for part in offers(version)
    ]
    found.append(_request(ClientHello(SSL2, ())))
    old = tuple(one for part in offers(TLS12) for one in part)
    for version in (TLS12, TLS11, TLS10, SSL3):
        found += [
            _request(ClientHello(version, old, whole=True)),
            _request(ClientHello(version, old, deflate=True)),
            _request(ClientHello(version, (*old, FALLBACK))),
        ]
    found.append(_request(ClientHello(TLS12, old, whole=True, groups=WEAK_GROUPS)))
    found += [
        _request(
            ClientHello(TLS13, offers(TLS13)[0], whole=True, authentication=kind, groups=groups)
        )
        for kind in _KINDS
        for groups in ((), *((one,) for one in KEYED_GROUPS))
    ]
    return found


async def ask(session: Session) -> TlsAnswers | None:
    """Find out what a server accepts; None where it does not answer, or not in TLS."""
    answers = TlsAnswers()
    spoke = False
    for version in VERSIONS:
        spoke = await _enumerate(session, version, answers, spoke=spoke) or spoke
        if not spoke and version == TLS12:
            return None  # neither accepted nor refused: it does not speak TLS
    flight = await _hello(session, ClientHello(SSL2, ()), answers)
    if flight is not None and flight.ssl2:
        answers.suites[SSL2] = [0]
    if answers.versions:
        await _details(session, answers)
    return answers


async def _enumerate(session: Session, version: int, answers: TlsAnswers, *, spoke: bool) -> bool:
    """Ask for all suites of a version, then without the one that was chosen, and so on."""
    accepted = answers.suites.setdefault(version, [])
    for part in offers(version):
        left = list(part)
        while left:
            flight = await _hello(session, ClientHello(version, tuple(left)), answers)
            if flight is None:
                if not spoke and not accepted:
                    return False
                break
            spoke = spoke or flight.hello is not None or flight.alert is not None
            hello = flight.hello
            if hello is None or hello.version != version or hello.suite not in left:
                if flight.alert == _PROTOCOL_VERSION and not accepted:
                    return spoke
                break
            accepted.append(hello.suite)
            left.remove(hello.suite)
            if version < TLS13:
                answers.secure_renegotiation = hello.secure_renegotiation
    return spoke


async def _details(session: Session, answers: TlsAnswers) -> None:
    older = [one for one in answers.versions if SSL3 <= one < TLS13]
    if TLS13 in answers.versions:
        for kind in _KINDS:
            offer = ClientHello(TLS13, offers(TLS13)[0], whole=True, authentication=kind)
            flight = await _hello(session, offer, answers)
            hello = flight.hello if flight is not None else None
            if hello is not None and hello.retry and hello.group in KEYED_GROUPS:
                flight = await _hello(session, replace(offer, groups=(hello.group,)), answers)
            _note(answers, flight)
            if flight is not None and flight.hello is not None and not flight.certificates:
                told = flight.problem or "no certificate in the answer"
                answers.unanswered.append(f"certificate in TLS 1.3 ({kind.upper()}): {told}")
    if not older:
        return
    best = older[0]
    accepted = answers.suites[best]
    for part in _by_key(accepted):
        flight = await _hello(session, ClientHello(best, part, whole=True), answers)
        _note(answers, flight)
        if flight is not None and flight.hello is not None:
            answers.dh_bits = answers.dh_bits or _dh_bits(flight)
    flight = await _hello(session, ClientHello(best, tuple(accepted), deflate=True), answers)
    answers.compresses = bool(flight and flight.hello and flight.hello.compression == 1)
    curves = tuple(one.number for one in named(accepted) if one.exchange.startswith("ECDHE"))
    if best == TLS12 and curves:
        flight = await _hello(
            session, ClientHello(best, curves, whole=True, groups=WEAK_GROUPS), answers
        )
        answers.weak_curve = _curve(flight)
    lower = min(older)
    if lower < answers.versions[0]:
        offer = ClientHello(lower, (*answers.suites[lower], FALLBACK))
        flight = await _hello(session, offer, answers)
        if flight is not None:
            answers.guards_fallback = flight.alert == _INAPPROPRIATE_FALLBACK


async def _hello(session: Session, offer: ClientHello, answers: TlsAnswers) -> ServerFlight | None:
    """The answer to an offer; None where none came in time or it is not TLS."""
    reply = await session.ask(_request(offer))
    if reply is None:
        answers.unanswered.append(offer.title.partition(" with TLS_")[0])
        return None
    flight = read_answer(offer, session.host, reply.body)
    if flight.problem and flight.hello is None:
        answers.unanswered.append(f"{offer.title.partition(' with TLS_')[0]}: {flight.problem}")
        return None
    return flight


def _note(answers: TlsAnswers, flight: ServerFlight | None) -> None:
    if flight is None:
        return
    answers.asks_certificate = answers.asks_certificate or flight.asks_certificate
    known = [certificates for certificates, _ in answers.chains]
    if flight.certificates and flight.certificates not in known:
        answers.chains.append((flight.certificates, flight.staple))
    elif flight.certificates and flight.staple:
        at = known.index(flight.certificates)
        answers.chains[at] = (flight.certificates, answers.chains[at][1] or flight.staple)


def _by_key(accepted: list[int]) -> list[tuple[int, ...]]:
    """The suites by kind of certificate, and those with an ephemeral DH key, each part once."""
    ecdsa = [one.number for one in named(accepted) if "ECDSA" in one.exchange]
    dhe = [one.number for one in named(accepted) if one.exchange.startswith(("DHE", "DH_anon"))]
    others = [one for one in accepted if one not in ecdsa and one not in dhe]
    return [tuple(part) for part in (ecdsa, others, dhe) if part]


def _dh_bits(flight: ServerFlight) -> int:
    """Bits of the prime of an ephemeral DH key (RFC 5246 section 7.4.3), 0 where there is none."""
    hello = flight.hello
    if hello is None or not named([hello.suite])[0].exchange.startswith(("DHE", "DH_anon")):
        return 0
    size = int.from_bytes(flight.key_exchange[:2])
    return int.from_bytes(flight.key_exchange[2 : 2 + size]).bit_length()


def _curve(flight: ServerFlight | None) -> int:
    """The weak curve of an ephemeral key (RFC 8422 section 5.4), 0 where there is none."""
    if flight is None or flight.hello is None or flight.key_exchange[:1] != bytes([_NAMED_CURVE]):
        return 0
    curve = int.from_bytes(flight.key_exchange[1:3])
    return curve if curve in WEAK_GROUPS else 0


def _request(offer: ClientHello) -> LiveRequest:
    return LiveRequest("TLS", "", script=offer)


_KINDS: Final[tuple[Authentication, ...]] = ("ecdsa", "rsa")
