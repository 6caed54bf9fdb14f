"""A Sigstore instance of our own, in memory: authority, certificate log, signature log, trust root.

Built from the formats' own documents (RFC 6962 for timestamps of certificates and Merkle trees, the
Sigstore bundle 0.3, Rekor's entries and checkpoints), not with the client that is to check it.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey
_ISSUER_V1 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_ISSUER_V2 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def public_der(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_id(key: Key) -> bytes:
    """A log is known by the digest of its key."""
    return hashlib.sha256(public_der(key.public_key())).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def signed(key: Key, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass
class CertificateLog:
    """Vouches that it has seen a certificate (RFC 6962, section 3.2)."""

    key: Key = field(default_factory=new_key)

    def timestamps(self, precertificate: bytes, issuer: Key, time: dt.datetime) -> bytes:
        """The list, with one entry, that goes into the certificate."""
        milliseconds = int(time.timestamp() * 1000)
        entry = key_id(issuer) + len(precertificate).to_bytes(3, "big") + precertificate
        body = struct.pack("!BBQH", 0, 0, milliseconds, 1) + entry + struct.pack("!H", 0)
        signature = signed(self.key, body)
        one = struct.pack("!B32sQH", 0, key_id(self.key), milliseconds, 0)
        one += struct.pack("!BBH", 4, 3, len(signature)) + signature  # SHA-256 with ECDSA
        return struct.pack("!HH", len(one) + 2, len(one)) + one


@dataclass
class Authority:
    """Gives certificates for some minutes to identities that an issuer vouches for."""

    root: Key = field(default_factory=new_key)
    middle: Key = field(default_factory=new_key)

    def __post_init__(self) -> None:
        self.chain = [
            _authority("middle", self.middle, "root", self.root, 0),
            _authority("root", self.root, "root", self.root, 1),
        ]

    def issue(
        self,
        key: ec.EllipticCurvePublicKey,
        identity: str,
        issuer: str,
        *,
        start: dt.datetime,
        log: CertificateLog | None,
    ) -> x509.Certificate:
        """A certificate for ten minutes, with the proof of ``log``, or with none."""
        name: x509.GeneralName = (
            x509.RFC822Name(identity)
            if "@" in identity and "://" not in identity
            else x509.UniformResourceIdentifier(identity)
        )
        text = issuer.encode()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(_named("middle"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(minutes=10))
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.middle.public_key()),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_ISSUER_V1, text), critical=False)
            .add_extension(
                x509.UnrecognizedExtension(_ISSUER_V2, b"\x0c" + bytes([len(text)]) + text),
                critical=False,
            )
        )
        if log is None:
            return builder.sign(self.middle, hashes.SHA256())
        before = builder.sign(self.middle, hashes.SHA256()).tbs_certificate_bytes
        proof = log.timestamps(before, self.middle, start)
        value = b"\x04" + _der_length(len(proof)) + proof
        return builder.add_extension(
            x509.UnrecognizedExtension(_SCT_LIST, value), critical=False
        ).sign(self.middle, hashes.SHA256())


@dataclass
class SignatureLog:
    """Entries in a Merkle tree, with a signed head (RFC 6962, section 2.1; Rekor's version 1)."""

    key: Key = field(default_factory=new_key)
    leaves: list[bytes] = field(default_factory=lambda: [b"first", b"second", b"third"])

    def add(self, body: bytes, time: dt.datetime) -> dict[str, Any]:
        """The entry with its proofs, as a bundle has it."""
        index = len(self.leaves)
        self.leaves.append(body)
        root = _tree(self.leaves)
        head = f"log.test - 1\n{len(self.leaves)}\n{b64(root)}\n"
        note = b64(key_id(self.key)[:4] + signed(self.key, head.encode()))
        seconds = int(time.timestamp())
        promise = {
            "body": b64(body), "integratedTime": seconds,
            "logID": key_id(self.key).hex(), "logIndex": index,
        }  # fmt: skip
        canonical = json.dumps(promise, separators=(",", ":"), sort_keys=True).encode()
        return {
            "logIndex": str(index),
            "logId": {"keyId": b64(key_id(self.key))},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {"signedEntryTimestamp": b64(signed(self.key, canonical))},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": b64(root),
                "treeSize": str(len(self.leaves)),
                "hashes": [b64(one) for one in _path(index, self.leaves)],
                "checkpoint": {"envelope": f"{head}\n\u2014 log.test {note}\n"},
            },
            "canonicalizedBody": b64(body),
        }


@dataclass
class Instance:
    """All three, and what a client must know to trust them."""

    authority: Authority = field(default_factory=Authority)
    certificates: CertificateLog = field(default_factory=CertificateLog)
    signatures: SignatureLog = field(default_factory=SignatureLog)
    url: str = "https://sigstore.test"

    def trusted_root(self) -> dict[str, Any]:
        def log(key: Key) -> dict[str, Any]:
            return {
                "baseUrl": self.url, "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": b64(public_der(key.public_key())),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": {"start": "2020-01-01T00:00:00Z"},
                },
                "logId": {"keyId": b64(key_id(key))},
            }  # fmt: skip

        chain = [one.public_bytes(serialization.Encoding.DER) for one in self.authority.chain]
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.signatures.key)],
            "ctlogs": [log(self.certificates.key)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "test", "commonName": "root"}, "uri": self.url,
                    "certChain": {"certificates": [{"rawBytes": b64(one)} for one in chain]},
                    "validFor": {"start": "2020-01-01T00:00:00Z"},
                }
            ],
            "timestampAuthorities": [],
        }  # fmt: skip

    def client_trust(self) -> dict[str, Any]:
        """With the addresses that a client signs at."""
        service = {
            "url": self.url, "majorApiVersion": 1, "operator": "test",
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        }  # fmt: skip
        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self.trusted_root(),
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [service], "oidcUrls": [service], "rekorTlogUrls": [service],
                "rekorTlogConfig": {"selector": "ANY"}, "tsaConfig": {"selector": "ANY"},
            },
        }  # fmt: skip

    def bundle(
        self,
        statement: bytes,
        identity: str,
        issuer: str,
        *,
        log: CertificateLog | str | None = "own",
        signed_after: dt.timedelta = dt.timedelta(minutes=1),
    ) -> dict[str, Any]:
        """A bundle over an in-toto statement, signed so long after the certificate began."""
        start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=30)
        key = new_key()
        seen = self.certificates if isinstance(log, str) else log
        certificate = self.authority.issue(
            key.public_key(), identity, issuer, start=start, log=seen
        )
        kind = "application/vnd.in-toto+json"
        signature = signed(key, f"DSSEv1 {len(kind)} {kind} {len(statement)} ".encode() + statement)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        body = rekor_body(statement, signature, pem)
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {
                    "rawBytes": b64(certificate.public_bytes(serialization.Encoding.DER))
                },
                "tlogEntries": [self.signatures.add(body, start + signed_after)],
            },
            "dsseEnvelope": {
                "payload": b64(statement), "payloadType": kind,
                "signatures": [{"sig": b64(signature)}],
            },
        }  # fmt: skip


def rekor_body(statement: bytes, signature: bytes, pem: bytes) -> bytes:
    """What the log keeps of an envelope (Rekor's type ``dsse``, version 0.0.1)."""
    envelope = json.dumps({"payload": b64(statement), "signatures": [{"sig": b64(signature)}]})
    entry = {
        "apiVersion": "0.0.1", "kind": "dsse",
        "spec": {
            "envelopeHash": _sha256(envelope.encode()), "payloadHash": _sha256(statement),
            "signatures": [{"signature": b64(signature), "verifier": b64(pem)}],
        },
    }  # fmt: skip
    return json.dumps(entry, separators=(",", ":"), sort_keys=True).encode()


def _sha256(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _tree(leaves: Sequence[bytes]) -> bytes:
    """The head of a Merkle tree."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _tree(leaves[:half]) + _tree(leaves[half:])).digest()


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The digests that lead from a leaf to the head."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return [*_path(index, leaves[:half]), _tree(leaves[half:])]
    return [*_path(index - half, leaves[half:]), _tree(leaves[:half])]


def _authority(name: str, key: Key, issuer: str, by: Key, depth: int) -> x509.Certificate:
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
        .sign(by, hashes.SHA256())
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs, key_cert_sign=not signs, crl_sign=not signs,
        key_encipherment=False, content_commitment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _named(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "test"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _der_length(length: int) -> bytes:
    if length < 128:
        return bytes([length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([128 | len(size)]) + size
