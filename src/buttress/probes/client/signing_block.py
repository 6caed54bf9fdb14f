"""Signatures of Android packages: which schemes are there, and whether the key is a debug key.

The block of schemes 2 and 3 lies in front of the directory (Android, "APK Signature Scheme v2").
Nothing is verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from buttress.files import zip_reader
from buttress.files.byte_source import ByteSource
from buttress.probes.client.members import MemberError, Members, read

_MAGIC: Final = b"APK Sig Block 42"
_FOOTER: Final = 24  # bytes: its size and the magic
_MAX_BLOCK: Final = 4 << 20
_SCHEMES: Final = {0x7109871A: 2, 0xF05368C0: 3, 0x1B93AD61: 3}
_OF_SCHEME_1: Final = (".RSA", ".DSA", ".EC")
_DEBUG_KEY: Final = b"Android Debug"  # the common name of the key that every development kit makes
_MAX_SIGNATURE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Signatures:
    """``schemes`` that a package is signed by, and whether with the key of a development kit."""

    schemes: frozenset[int]
    debug_key: bool


def signatures(source: ByteSource, members: Members) -> Signatures:
    """The signatures of a package.

    Raises:
        ExpansionError: the package costs more than its size allows.
    """
    block = _block(source)
    schemes = {scheme for scheme in map(_SCHEMES.get, _identifiers(block)) if scheme}
    debug = _DEBUG_KEY in block
    for name in members.names:
        if name.startswith("META-INF/") and name.upper().endswith(_OF_SCHEME_1):
            schemes.add(1)
            try:
                debug = debug or _DEBUG_KEY in read(members, name, _MAX_SIGNATURE)
            except MemberError:
                continue
    return Signatures(frozenset(schemes), debug)


def _block(source: ByteSource) -> bytes:
    found = zip_reader.directories(source)
    if not found:
        return b""
    end = found[0].start
    footer = source.read_at(end - _FOOTER, _FOOTER) if end >= _FOOTER else b""
    size = int.from_bytes(footer[:8], "little")
    if footer[8:] != _MAGIC or not _FOOTER <= size <= min(end, _MAX_BLOCK):
        return b""
    return source.read_at(end - size, size - _FOOTER)


def _identifiers(block: bytes) -> list[int]:
    found = []
    at = 0
    while at + 12 <= len(block):
        length = int.from_bytes(block[at : at + 8], "little")
        if not 4 <= length <= len(block) - at - 8:
            break
        found.append(int.from_bytes(block[at + 8 : at + 12], "little"))
        at += 8 + length
    return found
