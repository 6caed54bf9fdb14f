"""Checks of keys that carry a checksum: a wrong one means that nobody issued the key."""

from __future__ import annotations

import zlib
from typing import Final

from buttress.rules.credentials.candidate import CredentialCandidate, Verdict
from buttress.rules.credentials.literals import is_filler, is_random

_BASE62: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BECH32: Final = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_RIGHT: Final = Verdict("its checksum is right")


def base62(number: int, width: int = 6) -> bytes:
    """``number`` in base 62, digits first, padded with zeros."""
    digits = bytearray()
    while number:
        number, rest = divmod(number, 62)
        digits.append(_BASE62[rest])
    return bytes(reversed(digits)).rjust(width, b"0")


def crc62(candidate: CredentialCandidate) -> Verdict | None:
    """GitHub and npm: after the first ``_``, six digits hold the CRC-32 of what precedes them.

    "Behind GitHub's new authentication token formats", GitHub engineering, 2021.
    """
    body = candidate.secret.partition(b"_")[2]
    return _RIGHT if base62(zlib.crc32(body[:-6])) == body[-6:] else None


def wrong_crc62(candidate: CredentialCandidate) -> Verdict | None:
    """The form of such a token with another checksum: mistyped, altered or made up."""
    made_up = is_filler(candidate.secret) or not is_random(candidate.secret.partition(b"_")[2])
    if made_up or crc62(candidate) is not None:
        return None
    return Verdict("its checksum is wrong: mistyped, altered or made up", "low")


def grafana_checksum(key: bytes) -> bytes:
    """CRC-32 of prefix and secret, little-endian, in hex: Grafana's token generator."""
    return zlib.crc32(key).to_bytes(4, "little").hex().encode()


def grafana(candidate: CredentialCandidate) -> Verdict | None:
    """Grafana service accounts: ``glsa_SECRET_CHECKSUM``."""
    key, _, checksum = candidate.secret.rpartition(b"_")
    return _RIGHT if grafana_checksum(key) == checksum else None


def _polymod(values: list[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_GENERATOR):
            if top >> bit & 1:
                state ^= term
    return state


def _expanded(prefix: bytes) -> list[int]:
    lower = prefix.lower()
    return [one >> 5 for one in lower] + [0] + [one & 31 for one in lower]


def bech32_checksum(prefix: bytes, body: bytes) -> bytes:
    """The six checksum letters of ``body``, in upper-case letters of bech32; BIP 173."""
    values = [_BECH32.index(one) for one in body]
    state = _polymod([*_expanded(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    return bytes(_BECH32[state >> 5 * (5 - place) & 31] for place in range(6))


def bech32(candidate: CredentialCandidate) -> Verdict | None:
    """Keys in bech32 (age): the last six letters are a BCH code over prefix and data; BIP 173."""
    prefix, _, body = candidate.secret.rpartition(b"1")
    return _RIGHT if bech32_checksum(prefix, body[:-6]) == body[-6:] else None
