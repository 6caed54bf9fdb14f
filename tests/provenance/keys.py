"""Keys and certificates made for one test."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def key_pair(
    folder: Path, name: str, password: bytes | None = None, curve: ec.EllipticCurve | None = None
) -> tuple[Path, Path]:
    """Files of a private and its public key."""
    return write_key(folder, name, ec.generate_private_key(curve or ec.SECP256R1()), password)


def write_key(
    folder: Path, name: str, key: ec.EllipticCurvePrivateKey, password: bytes | None = None
) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    locked = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public


def certified(folder: Path, *, signs: bool = True) -> tuple[Path, Path, Path]:
    """Files of a private key, its certificate, and the certificate of the authority above."""
    authority, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    above = _certificate("Test Authority", authority, "Test Authority", authority, authority=True)
    own = _certificate("Test Signer", key, "Test Authority", authority, signs=signs)
    private, _ = write_key(folder, "signer", key)
    for name, one in (("root", above), ("signer", own)):
        (folder / f"{name}.crt").write_bytes(one.public_bytes(serialization.Encoding.PEM))
    return private, folder / "signer.crt", folder / "root.crt"


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    by: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
    signs: bool = True,
) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=signs, key_cert_sign=authority, crl_sign=authority,
        key_encipherment=not signs, content_commitment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1 if authority else 0, minutes=5))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(by, hashes.SHA256())
    )
