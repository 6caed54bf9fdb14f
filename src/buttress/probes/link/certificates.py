"""The certificates of a server: name, time, keys, signatures, chain and OCSP answer (RFC 5280)."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from buttress.evidence.findings import Finding, Severity
from buttress.files.visible import shortened
from buttress.probes.link.chain_rules import signed_by, violations
from buttress.probes.link.reports import finding
from buttress.protocols.live import LiveFact

_SOON: Final = timedelta(days=14)
_RSA_BITS: Final = 2048
_RSA_BROKEN: Final = 1024
_CURVE_BITS: Final = 256  # the least that CA/Browser Forum Baseline Requirements 6.1.5 allow
_BROKEN_HASHES: Final = ("md2", "md4", "md5")
_WEAK_HASHES: Final = ("sha1",)
_MUST_STAPLE: Final = x509.TLSFeatureType.status_request


def facts(chain: Sequence[bytes]) -> Iterator[LiveFact]:
    """Subject, issuer, key, signature and end of each certificate; key and names of the first."""
    yield LiveFact("certificate chain", tuple(_told(one) for one in chain))
    try:
        leaf = _read(chain[0])
    except (ValueError, IndexError):
        return
    key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    names, addresses = _names(leaf)
    yield LiveFact("certificate key", (f"SHA-256 {hashlib.sha256(key).hexdigest()}",))
    yield LiveFact("certificate issuer", (shortened(leaf.issuer.rfc4514_string()),))
    yield LiveFact("certificate names", tuple(sorted([*names, *map(str, addresses)])))


def findings(
    url: str, host: str, chain: Sequence[bytes], staple: bytes, now: datetime
) -> Iterator[Finding]:
    """What is wrong with a chain that was sent for ``host``; ``now`` is in UTC."""
    certificates: list[x509.Certificate] = []
    for place, data in enumerate(chain):
        try:
            certificates.append(_read(data))
        except ValueError as error:
            what = f"number {place + 1} of the chain: {shortened(str(error))}"
            yield finding("certificate-unreadable", url, what=what, proof=data[:20].hex())
            return
    leaf = certificates[0]
    yield from _name(url, host, leaf)
    for one in certificates:
        yield from _time(url, one, now, first=one is leaf)
    for one in certificates:
        yield from _key(url, one)
        if one.issuer != one.subject:  # nobody checks the signature of a root
            yield from _signature(url, one)
    yield from _purpose(url, leaf)
    yield from _chain(url, certificates)
    yield from _ocsp(url, leaf, staple, now)


def _read(data: bytes) -> x509.Certificate:
    try:
        with warnings.catch_warnings():  # of what RFC 5280 does not allow and is read all the same
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_certificate(data)
            _ = found.extensions, found.subject, found.issuer  # read when asked for
            found.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise ValueError(str(error) or type(error).__name__) from None
    return found


def _name(url: str, host: str, leaf: x509.Certificate) -> Iterator[Finding]:
    names, addresses = _names(leaf)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        wanted = _ascii(host)
        if any(matches(wanted, name) for name in names):
            return
        severity: Severity = "high"
    else:
        if address in addresses:
            return
        severity = "low"  # people use its name, which was not given
    shown = ", ".join([*names, *map(str, addresses)]) or f"none; subject {_subject(leaf)}"
    yield finding(
        "certificate-name-mismatch", url, severity=severity,
        what=f"{host} is not among its names ({shortened(shown)})",
        proof=f"subjectAltName: {shortened(shown)}",
    )  # fmt: skip


def matches(host: str, pattern: str) -> bool:
    """Whether a name of a certificate is for ``host`` (RFC 9525 section 6.3).

    A star stands for the whole first label and for one label alone.
    """
    host, pattern = host.rstrip(".").lower(), pattern.rstrip(".").lower()
    if not pattern.startswith("*."):
        return host == pattern
    first, dot, rest = host.partition(".")
    return bool(first and dot) and rest == pattern[2:] and "*" not in pattern[1:]


def _names(leaf: x509.Certificate) -> tuple[list[str], list[object]]:
    try:
        value = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    return (
        list(value.get_values_for_type(x509.DNSName)),
        list(value.get_values_for_type(x509.IPAddress)),
    )


def _time(url: str, one: x509.Certificate, now: datetime, *, first: bool) -> Iterator[Finding]:
    begins, ends = one.not_valid_before_utc, one.not_valid_after_utc
    if now > ends:
        what = f"{_subject(one)} ended on {ends:%Y-%m-%d}"
    elif now < begins:
        what = f"{_subject(one)} begins on {begins:%Y-%m-%d}"
    elif first and ends - now < _SOON:
        days = (ends - now).days
        yield finding(
            "certificate-expires-soon", url,
            what=f"on {ends:%Y-%m-%d}, in {days} day{'s' if days != 1 else ''}",
            proof=f"notAfter {ends:%Y-%m-%d %H:%M} UTC",
        )  # fmt: skip
        return
    else:
        return
    proof = f"valid from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC"
    yield finding("certificate-expired", url, what=what, proof=proof)


def _key(url: str, one: x509.Certificate) -> Iterator[Finding]:
    key = one.public_key()
    shown = _key_shown(one)
    severity: Severity = "medium"
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        if key.key_size >= _RSA_BITS:
            return
        severity = "high" if key.key_size <= _RSA_BROKEN else "medium"
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.key_size >= _CURVE_BITS:
        return
    yield finding(
        "certificate-weak-key", url, severity=severity, what=f"{shown} of {_subject(one)}",
        proof=shown,
    )  # fmt: skip


def _signature(url: str, one: x509.Certificate) -> Iterator[Finding]:
    name = _hash(one)
    if name in _BROKEN_HASHES or name in _WEAK_HASHES:
        yield finding(
            "certificate-weak-signature", url, what=f"{name} in that of {_subject(one)}",
            severity="high" if name in _BROKEN_HASHES else "medium",
            proof=f"signature algorithm {one.signature_algorithm_oid.dotted_string}",
        )  # fmt: skip


def _purpose(url: str, leaf: x509.Certificate) -> Iterator[Finding]:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    server = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if not any(one in usage for one in server):
        proof = "extendedKeyUsage: " + ", ".join(one.dotted_string for one in usage)
        yield finding("certificate-not-for-servers", url, what=proof, proof=proof)


def _chain(url: str, certificates: Sequence[x509.Certificate]) -> Iterator[Finding]:
    leaf, others, roots = certificates[0], list(certificates[1:]), trusted_roots()
    proof = " <- ".join(_subject(one) for one in certificates)
    path = _path(leaf, (*others, *roots))
    broken = list(violations(path))
    if broken and not list(violations(direct := _path(leaf, (*roots, *others)))):
        path, broken = direct, []  # a root that is trusted signs in the place of what was sent
    for what in broken:
        yield finding("certificate-chain-invalid", url, what=what, proof=proof)
    root = path[-1]
    if root.issuer != root.subject:
        named = [one for one in (*others, *roots) if one.subject == root.issuer and one not in path]
        if named:
            what = f"{_subject(root)} is not signed by {_subject(named[0])}"
            yield finding("certificate-chain-invalid", url, what=what, proof=proof)
        elif roots:
            yield _broken_off(url, root, proof)
    elif leaf is root:
        if leaf not in roots:
            what = f"{_subject(leaf)}"
            yield finding("certificate-self-signed", url, what=what, proof=proof)
    elif roots and root not in roots:
        yield finding("certificate-untrusted", url, what=_subject(root), proof=proof)


def _path(leaf: x509.Certificate, candidates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """From a certificate to a root, or as far as issuers are there; the first that fits is one."""
    path = [leaf]
    while path[-1].issuer != path[-1].subject:
        issuer = _issuer_of(path[-1], candidates)
        if issuer is None or issuer in path:
            break
        path.append(issuer)
    return path


def _broken_off(url: str, last: x509.Certificate, proof: str) -> Finding:
    """The issuer is neither sent nor a root that is trusted here.

    With the address of its issuer it is not by a root: an intermediate is missing. Without one, the
    root may be a private one, which servers need not send.
    """
    what = f"{shortened(last.issuer.rfc4514_string())} signed {_subject(last)} and was not sent"
    try:
        access = last.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        missing = any(
            one.access_method == AuthorityInformationAccessOID.CA_ISSUERS for one in access
        )
    except x509.ExtensionNotFound:
        missing = False
    rule = "certificate-chain-incomplete" if missing else "certificate-untrusted"
    return finding(rule, url, what=what, proof=proof)


def _issuer_of(
    one: x509.Certificate, candidates: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    for candidate in candidates:
        if candidate.subject == one.issuer and candidate != one and signed_by(one, candidate):
            return candidate
    return None


@cache
def trusted_roots() -> tuple[x509.Certificate, ...]:
    """The authorities that this machine trusts; those in SSL_CERT_FILE where it is set."""
    found = []
    for data in ssl.create_default_context().get_ca_certs(binary_form=True):
        try:
            found.append(_read(data))
        except ValueError:
            continue  # one that can't be read signs nothing
    return tuple(found)


def _ocsp(url: str, leaf: x509.Certificate, staple: bytes, now: datetime) -> Iterator[Finding]:
    if not staple:
        must = _must_staple(leaf)
        if must or _has_ocsp(leaf):
            yield finding(
                "ocsp-not-stapled", url, severity="medium" if must else None,
                what="the certificate demands it" if must else f"for {_subject(leaf)}",
                proof="no CertificateStatus",
            )  # fmt: skip
        return
    try:
        answer = ocsp.load_der_ocsp_response(staple)
        if answer.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
            what = f"status {answer.response_status.name.lower()}"
            yield finding("ocsp-staple-invalid", url, what=what, proof=what)
            return
        status, ends = answer.certificate_status, answer.next_update_utc
        matching = answer.serial_number == leaf.serial_number
        revoked = answer.revocation_time_utc
    except (ValueError, UnsupportedAlgorithm) as error:
        what = f"not readable: {shortened(str(error))}"
        yield finding("ocsp-staple-invalid", url, what=what, proof=staple[:20].hex())
        return
    if not matching:
        what = "it is of another certificate"
        yield finding("ocsp-staple-invalid", url, what=what, proof="another serial number")
    elif status is ocsp.OCSPCertStatus.REVOKED:
        what = f"on {revoked:%Y-%m-%d}" if revoked else _subject(leaf)
        yield finding("ocsp-revoked", url, what=what, proof="certStatus revoked")
    elif ends is not None and ends < now:
        what = f"it ended on {ends:%Y-%m-%d}"
        yield finding("ocsp-staple-invalid", url, what=what, proof=f"nextUpdate {ends:%Y-%m-%d}")


def _has_ocsp(leaf: x509.Certificate) -> bool:
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return False
    return any(one.access_method == AuthorityInformationAccessOID.OCSP for one in access)


def _must_staple(leaf: x509.Certificate) -> bool:
    try:
        return _MUST_STAPLE in leaf.extensions.get_extension_for_class(x509.TLSFeature).value
    except x509.ExtensionNotFound:
        return False


def _told(data: bytes) -> str:
    try:
        one = _read(data)
    except ValueError:
        return f"not readable: {data[:20].hex()}"
    ends = f"{one.not_valid_after_utc:%Y-%m-%d}"
    issuer = shortened(one.issuer.rfc4514_string())
    return f"{_subject(one)}; issuer {issuer}; {_key_shown(one)}; {_hash(one)}; until {ends}"


def _key_shown(one: x509.Certificate) -> str:
    key = one.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    name = type(key).__name__.strip("_").removesuffix("PublicKey").upper()
    return f"{name} of {key.key_size} bits" if hasattr(key, "key_size") else name


def _hash(one: x509.Certificate) -> str:
    """The hash under the signature; the algorithm's number where it has none that is known."""
    try:
        algorithm = one.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    return algorithm.name if algorithm else one.signature_algorithm_oid.dotted_string


def _subject(one: x509.Certificate) -> str:
    return shortened(one.subject.rfc4514_string() or "a certificate without a subject")


def _ascii(host: str) -> str:
    try:
        return host.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return host


def utc_now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)
