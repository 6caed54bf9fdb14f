"""An authority for tests: roots, intermediates and certificates with the wanted defects."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

NOW = datetime.now(UTC)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class Issued:
    """A certificate with its key, and those that signed it, nearest first."""

    certificate: x509.Certificate
    key: Key
    chain: list[x509.Certificate] = field(default_factory=list)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def write(self, folder: Path, name: str, *, chain: bool = True) -> tuple[Path, Path]:
        """The paths of the certificate (with its chain) and of the key."""
        sent = [self.certificate, *(self.chain if chain else [])]
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in sent))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def issue(
    subject: str,
    by: Issued | None = None,
    *,
    names: Sequence[str] = (),
    days: tuple[int, int] = (-10, 200),
    authority: bool = False,
    key: Key | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
    critical: Sequence[x509.ExtensionType] = (),
    path_length: int | None = None,
) -> Issued:
    """A certificate signed by ``by``, or by itself; valid between two days from today."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(by.certificate.subject if by else name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general(one) for one in names]), critical=False
        )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    for extension in critical:
        builder = builder.add_extension(extension, critical=True)
    certificate = builder.sign(by.key if by else key, hashes.SHA256())
    chain = [] if by is None or not by.chain else [by.certificate, *by.chain[:-1]]
    if by is not None and not chain and by.certificate.issuer != by.certificate.subject:
        chain = [by.certificate]
    return Issued(certificate, key, chain)


def access(kind: str, address: str) -> x509.AuthorityInformationAccess:
    """The extension that tells where the issuer's certificate (``issuer``) or OCSP answers are."""
    method = (
        AuthorityInformationAccessOID.CA_ISSUERS
        if kind == "issuer"
        else AuthorityInformationAccessOID.OCSP
    )
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(address))]
    )


def ocsp_answer(of: Issued, by: Issued, *, revoked: bool = False, days: int = 5) -> bytes:
    """An OCSP answer, signed by the issuer; it ends in ``days`` days."""
    answer: Any = ocsp.OCSPResponseBuilder().add_response(
        of.certificate, by.certificate, hashes.SHA1(),
        ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        NOW - timedelta(days=10), NOW + timedelta(days=days),
        NOW - timedelta(days=1) if revoked else None,
        x509.ReasonFlags.key_compromise if revoked else None,
    )  # fmt: skip
    made = answer.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    response: ocsp.OCSPResponse = made.sign(by.key, hashes.SHA256())
    return response.public_bytes(Encoding.DER)


def _general(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
