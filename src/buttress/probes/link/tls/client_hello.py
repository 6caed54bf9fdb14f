"""ClientHello of one's own (RFC 8446 section 4.1.2, RFC 5246 7.4.1.2, RFC 6101 5.6.1.2)."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Final, Literal

from buttress.probes.link.tls.handshake_keys import public_keys
from buttress.probes.link.tls.server_flight import ServerFlight
from buttress.probes.link.tls.suites import SSL2, SSL3, TLS12, TLS13, VERSION_NAMES, named
from buttress.protocols.live import WireScript

FALLBACK: Final = 0x5600  # TLS_FALLBACK_SCSV, RFC 7507
_RENEGOTIATION: Final = 0x00FF  # TLS_EMPTY_RENEGOTIATION_INFO_SCSV, RFC 5746
X25519: Final = 29
P256: Final = 23
GROUPS: Final = (X25519, P256, 24, 25, 30, 256, 257, 258)
WEAK_GROUPS: Final = (*range(1, 9), *range(15, 22))  # curves of less than 256 bits, up to secp224r1
_SIGNATURES: Final = (
    0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B,
    0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0302, 0x0202, 0x0101,
)  # fmt: skip
_ECDSA_SIGNATURES: Final = frozenset((0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0303, 0x0203))
_RSA_SIGNATURES: Final = frozenset(_SIGNATURES) - _ECDSA_SIGNATURES
_RANDOM: Final = hashlib.sha256(b"buttress survey: nothing secret is sent in this session").digest()
_SSL2_CIPHERS: Final = (0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700C0)
_NEEDED_PADDING: Final = range(256, 512)  # RFC 7685
Authentication = Literal["", "rsa", "ecdsa"]


@dataclass(frozen=True, slots=True)
class ClientHello:
    """An offer of one version and some suites; a ``WireScript``.

    ``whole`` reads up to the end of the server's flight, else its hello is enough. In TLS 1.3
    ``authentication`` limits the kinds of certificates. ``groups`` are those of RFC 8422 and
    8446; without any, all usual ones, and before TLS 1.3 the weak ones after them: a server whose
    certificate has a key on a weak curve answers no client that does not offer it.
    """

    version: int
    suites: tuple[int, ...]
    whole: bool = False
    deflate: bool = False
    authentication: Authentication = ""
    groups: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """See ``WireScript``."""
        if self.version == SSL2:
            return "CLIENT-HELLO of SSL 2"
        names = ", ".join(one.name for one in named(self.suites) if one.number != FALLBACK)
        extra = [
            *(["marked as a fallback"] if FALLBACK in self.suites else []),
            *(["with compression"] if self.deflate else []),
            *(
                ["for a certificate of " + self.authentication.upper()]
                if self.authentication
                else []
            ),
            *(["over weak curves"] if self.groups == WEAK_GROUPS else []),
            *([f"over group {self.groups[0]}"] if len(self.groups) == 1 else []),
        ]
        return " ".join((f"ClientHello of {VERSION_NAMES[self.version]}", *extra, f"with {names}"))

    @property
    def offered_groups(self) -> tuple[int, ...]:
        """The groups in the order in which they are offered."""
        if self.groups:
            return self.groups
        return GROUPS if self.version == TLS13 else (*GROUPS, *WEAK_GROUPS)

    def begin(self, host: str) -> HelloTalk:
        """See ``WireScript``."""
        return HelloTalk(self, host)

    def covers(self, other: WireScript) -> bool:
        """Whether ``other`` differs in nothing but that it offers fewer suites."""
        return (
            isinstance(other, ClientHello)
            and (self.version, self.whole, self.deflate, self.authentication, self.groups)
            == (other.version, other.whole, other.deflate, other.authentication, other.groups)
            and set(other.suites) <= set(self.suites)
        )

    def encode(self, host: str) -> bytes:
        """The bytes of the record that holds it."""
        if self.version == SSL2:
            return _ssl2()
        legacy = min(self.version, TLS12)
        numbers = (*self.suites, *(() if self.version == TLS13 else (_RENEGOTIATION,)))
        compression = b"\x01\x00" if self.deflate else b"\x00"
        body = b"".join(
            (
                legacy.to_bytes(2),
                _RANDOM,
                _vector(_RANDOM if self.version == TLS13 else b"", 1),
                _vector(b"".join(one.to_bytes(2) for one in numbers), 2),
                _vector(compression, 1),
            )
        )
        if self.version > SSL3:
            extensions = self._extensions(host)
            size = 4 + len(body) + 2 + len(extensions)
            if size in _NEEDED_PADDING:
                extensions += _extension(21, bytes(max(0, 512 - size - 4)))
            elif size > 511 and size % 256 in (10, 14):  # lengths that some servers choke on
                extensions += _extension(21, b"\x00")
            body += _vector(extensions, 2)
        record = SSL3 if self.version == SSL3 else 0x0301
        message = b"\x01" + len(body).to_bytes(3) + body
        return b"\x16" + record.to_bytes(2) + _vector(message, 2)

    def _extensions(self, host: str) -> bytes:
        parts = []
        if name := _server_name(host):
            parts.append(_extension(0, _vector(b"\x00" + _vector(name, 2), 2)))
        groups = b"".join(one.to_bytes(2) for one in self.offered_groups)
        parts += [_extension(11, b"\x01\x00"), _extension(10, _vector(groups, 2))]
        if self.version >= TLS12:
            parts.append(_extension(13, _vector(self._signatures(), 2)))
        if self.whole:
            parts.append(_extension(5, b"\x01\x00\x00\x00\x00"))
        if self.version == TLS13:
            parts.append(_extension(43, _vector(TLS13.to_bytes(2), 1)))
            usual = self.offered_groups[:2]  # a server that wants another group says so
            shares = b"".join(
                group.to_bytes(2) + _vector(public, 2) for group, public in public_keys(usual)
            )
            parts.append(_extension(51, _vector(shares, 2)))
        return b"".join(parts)

    def _signatures(self) -> bytes:
        allowed = {"rsa": _RSA_SIGNATURES, "ecdsa": _ECDSA_SIGNATURES}.get(self.authentication)
        return b"".join(one.to_bytes(2) for one in _SIGNATURES if allowed is None or one in allowed)


class HelloTalk:
    """Sends a ClientHello and reads as much of the answer as is wanted; a ``WireTalk``."""

    def __init__(self, offer: ClientHello, host: str) -> None:
        self._opening = offer.encode(host)
        self.flight = flight_of(offer, self._opening)

    @property
    def opening(self) -> bytes:
        """See ``WireTalk``."""
        return self._opening

    @property
    def done(self) -> bool:
        """See ``WireTalk``."""
        return self.flight.done

    def feed(self, data: bytes) -> bytes:
        """See ``WireTalk``."""
        self.flight.feed(data)
        return b""


def read_answer(offer: ClientHello, host: str, received: bytes) -> ServerFlight:
    """What a server at ``host`` answered to ``offer``."""
    flight = flight_of(offer, offer.encode(host))
    flight.feed(received)
    return flight


def flight_of(offer: ClientHello, opening: bytes) -> ServerFlight:
    """An empty flight that reads answers to the offer; ``opening`` are its bytes."""
    return ServerFlight(opening[5:], whole=offer.whole, ssl2=offer.version == SSL2)


def _server_name(host: str) -> bytes:
    """The name for the extension server_name (RFC 6066): none for an address, no last dot."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            return host.rstrip(".").encode("idna")
        except UnicodeError:
            return host.rstrip(".").encode("ascii", "replace")
    return b""


def _ssl2() -> bytes:
    ciphers = b"".join(one.to_bytes(3) for one in _SSL2_CIPHERS)
    challenge = _RANDOM[:16]
    body = (
        b"\x01\x00\x02" + len(ciphers).to_bytes(2) + b"\x00\x00" + len(challenge).to_bytes(2)
        + ciphers + challenge
    )  # fmt: skip
    return (0x8000 | len(body)).to_bytes(2) + body


def _vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size) + data


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2) + _vector(data, 2)
