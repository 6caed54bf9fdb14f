"""What a chain of certificates must keep to beside its signatures (RFC 5280 section 6.1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from buttress.files.visible import shortened

_SERVERS: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
_Value = TypeVar("_Value", bound=x509.ExtensionType)


def violations(path: Sequence[x509.Certificate]) -> Iterator[str]:
    """What of a path from the server's certificate to its root breaks a rule, each as a clause.

    Judged are basicConstraints with its path length, keyUsage, extendedKeyUsage, name constraints
    on DNS names and addresses, and critical extensions that nobody knows; policies are not.
    """
    for one in path:
        for extension in one.extensions:
            if extension.critical and isinstance(extension.value, x509.UnrecognizedExtension):
                number = extension.oid.dotted_string
                yield f"{_subject(one)} has an unknown critical extension ({number})"
    for place, issuer in enumerate(path[1:], start=1):
        below = _subject(path[place - 1])
        yield from _authority(issuer, below, root=issuer.subject == issuer.issuer)
        basic = _value(issuer, x509.BasicConstraints)
        allowed = basic.path_length if basic is not None and basic.ca else None
        between = sum(1 for one in path[1:place] if one.subject != one.issuer)
        if allowed is not None and between > allowed:
            yield (
                f"{_subject(issuer)} allows {allowed} intermediate certificates below it, "
                f"and there are {between}"
            )
        constraints = _value(issuer, x509.NameConstraints)
        if constraints is not None:
            for name in _outside(path[0], constraints):
                yield f"{_subject(issuer)} may not sign for {shortened(str(name))}"


def signed_by(one: x509.Certificate, candidate: x509.Certificate) -> bool:
    """Whether the key of ``candidate`` made the signature of ``one``.

    A signature by an algorithm that can't be computed here counts as one: its weakness is told
    apart.
    """
    try:
        one.verify_directly_issued_by(candidate)
    except (TypeError, InvalidSignature):
        return False
    except (ValueError, UnsupportedAlgorithm):  # such as SHA-1, which is refused there
        return _signature_holds(one, candidate)
    return True


def _signature_holds(one: x509.Certificate, candidate: x509.Certificate) -> bool:
    key = candidate.public_key()
    try:
        algorithm = one.signature_hash_algorithm
        if algorithm is None:
            return True
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(one.signature, one.tbs_certificate_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(one.signature, one.tbs_certificate_bytes, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return True
    return True


def _authority(issuer: x509.Certificate, below: str, *, root: bool) -> Iterator[str]:
    """What says that a certificate may not sign others."""
    basic = _value(issuer, x509.BasicConstraints)
    if basic is None and root and issuer.version is x509.Version.v1:
        return  # a root of the time before extensions
    if basic is None or not basic.ca:
        yield f"{_subject(issuer)} is no authority, and signed {below}"
        return
    usage = _value(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield f"the key of {_subject(issuer)} is not for signing certificates, and signed {below}"
    purposes = _value(issuer, x509.ExtendedKeyUsage)
    if purposes is not None and not any(one in purposes for one in _SERVERS):
        yield f"{_subject(issuer)} is not for certificates of servers, and signed {below}"


def _outside(leaf: x509.Certificate, limits: x509.NameConstraints) -> Iterator[object]:
    """The names of a certificate that constraints don't allow."""
    names = _value(leaf, x509.SubjectAlternativeName)
    for name in names or ():
        if not isinstance(name, x509.DNSName | x509.IPAddress):
            continue
        kind = type(name)
        permitted = [one for one in limits.permitted_subtrees or () if isinstance(one, kind)]
        excluded = [one for one in limits.excluded_subtrees or () if isinstance(one, kind)]
        allowed = not permitted or any(_within(name, one) for one in permitted)
        if not allowed or any(_within(name, one) for one in excluded):
            yield name.value


def _within(name: x509.GeneralName, limit: x509.GeneralName) -> bool:
    if isinstance(name, x509.IPAddress) and isinstance(limit, x509.IPAddress):
        address, network = name.value, limit.value
        return (
            isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address)
            and isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network)
            and address in network
        )
    text, below = str(name.value).rstrip(".").lower(), str(limit.value).rstrip(".").lower()
    if below.startswith("."):
        return text.endswith(below)
    return not below or text == below or text.endswith(f".{below}")


def _value(one: x509.Certificate, kind: type[_Value]) -> _Value | None:
    try:
        return one.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _subject(one: x509.Certificate) -> str:
    return shortened(one.subject.rfc4514_string() or "a certificate without a subject")
