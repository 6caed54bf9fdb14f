"""The keys of the server's flight in TLS 1.3 (RFC 8446 section 7.1), to read its certificates.

Our own key is the same in every session: nothing secret is ever sent under it, and the same answer
then reads the same again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PrivateKey = ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey | x448.X448PrivateKey
AEAD = AESGCM | ChaCha20Poly1305 | AESCCM
_X25519: Final = 29
_X448: Final = 30
_CURVES: Final[dict[int, ec.EllipticCurve]] = {
    23: ec.SECP256R1(), 24: ec.SECP384R1(), 25: ec.SECP521R1(),
}  # fmt: skip
KEYED_GROUPS: Final = (_X25519, *_CURVES, _X448)
_SEED: Final = hashlib.sha256(b"buttress survey: key share").digest()
_SUITES: Final[dict[int, tuple[Callable[[bytes], AEAD], int, hashes.HashAlgorithm]]] = {
    0x1301: (AESGCM, 16, hashes.SHA256()),
    0x1302: (AESGCM, 32, hashes.SHA384()),
    0x1303: (ChaCha20Poly1305, 32, hashes.SHA256()),
    0x1304: (AESCCM, 16, hashes.SHA256()),
    0x1305: (lambda key: AESCCM(key, tag_length=8), 16, hashes.SHA256()),
}


class RecordReader:
    """Decrypts the records of the server's flight, in order."""

    def __init__(self, suite: int, group: int, share: bytes, transcript: bytes) -> None:
        """Derive the keys.

        Args:
            suite, group, share: what the ServerHello chose, and its public key.
            transcript: ClientHello and ServerHello, as handshake messages.

        Raises:
            ValueError: the suite or group is not among ours, or the share is no key.
        """
        if suite not in _SUITES:
            raise ValueError(f"suite 0x{suite:04x}")
        make, size, algorithm = _SUITES[suite]
        length = algorithm.digest_size
        digest = hashlib.new(algorithm.name)
        empty = digest.copy().digest()
        digest.update(transcript)

        def extract(salt: bytes, secret: bytes) -> bytes:
            mac = hmac.HMAC(salt, algorithm)
            mac.update(secret)
            return mac.finalize()

        def expand(secret: bytes, label: bytes, context: bytes, count: int) -> bytes:
            name = b"tls13 " + label
            info = count.to_bytes(2) + bytes([len(name)]) + name + bytes([len(context)]) + context
            return HKDFExpand(algorithm, count, info).derive(secret)

        early = extract(bytes(length), bytes(length))
        handshake = extract(expand(early, b"derived", empty, length), _agreed(group, share))
        traffic = expand(handshake, b"s hs traffic", digest.digest(), length)
        self._cipher = make(expand(traffic, b"key", b"", size))
        self._iv = int.from_bytes(expand(traffic, b"iv", b"", 12))
        self._number = 0

    def read(self, header: bytes, data: bytes) -> tuple[int, bytes]:
        """Content type and content of the next record.

        Raises:
            ValueError: it was not made with these keys.
        """
        nonce = (self._iv ^ self._number).to_bytes(12)
        try:
            plain = self._cipher.decrypt(nonce, data, header).rstrip(b"\x00")
        except (InvalidTag, ValueError):
            raise ValueError("a record that can't be decrypted") from None
        if not plain:
            raise ValueError("an empty record")
        self._number += 1
        return plain[-1], plain[:-1]


def public_keys(groups: Sequence[int]) -> tuple[tuple[int, bytes], ...]:
    """Our shares for those of ``groups`` that we have keys for."""
    return tuple((group, _public(group)) for group in groups if group in KEYED_GROUPS)


def _public(group: int) -> bytes:
    key = _private(group)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return key.public_key().public_bytes_raw()


def _agreed(group: int, share: bytes) -> bytes:
    if group not in KEYED_GROUPS:
        raise ValueError(f"group {group}")
    key = _private(group)
    if isinstance(key, x25519.X25519PrivateKey):
        return key.exchange(x25519.X25519PublicKey.from_public_bytes(share))
    if isinstance(key, x448.X448PrivateKey):
        return key.exchange(x448.X448PublicKey.from_public_bytes(share))
    return key.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[group], share)
    )


@cache
def _private(
    group: int,
) -> ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey | x448.X448PrivateKey:
    if group == _X25519:
        return x25519.X25519PrivateKey.from_private_bytes(_SEED)
    if group == _X448:
        return x448.X448PrivateKey.from_private_bytes((_SEED + _SEED)[:56])
    return ec.derive_private_key(int.from_bytes(_SEED) >> 8, _CURVES[group])
