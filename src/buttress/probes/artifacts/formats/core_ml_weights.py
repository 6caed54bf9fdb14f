"""Core ML's weight.bin: blobs of raw numbers (MILBlob's StorageFormat.hpp, version 2).

A header of 64 bytes has the count; each blob has a description of 64 bytes, on a multiple of 64.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from buttress.files.byte_source import ByteSource
from buttress.probes.artifacts import sniffers
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_BLOCK: Final = 64
_SENTINEL: Final = 0xDEADBEEF
_TYPES: Final = {1: "F16", 2: "F32", 3: "U8", 4: "I8", 5: "BF16", 6: "I16", 7: "U16"}
_MAX_BLOBS: Final = 200_000


class CoreMlBlob(NamedTuple):
    """A blob: ``offset`` and ``length`` in bytes of the file; ``dtype`` "" where packed."""

    dtype: str
    offset: int
    length: int


def matches(source: ByteSource, head: bytes) -> bool:
    """By version and sentinel."""
    return sniffers.core_ml_weights(source, head)


def described(source: ByteSource) -> Iterator[CoreMlBlob]:
    """The blobs, up to the first whose description is wrong."""
    count = int.from_bytes(source.read_at(0, 4), "little")
    at = _BLOCK
    for _ in range(min(count, _MAX_BLOBS)):
        block = source.read_at(at, 24)
        if len(block) < 24:
            return
        sentinel, kind, length, offset = struct.unpack("<IIQQ", block)
        if sentinel != _SENTINEL or offset < at + _BLOCK or offset + length > source.size:
            return
        yield CoreMlBlob(_TYPES.get(kind, ""), offset, length)
        at = -(-(offset + length) // _BLOCK) * _BLOCK


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """What lies behind the last blob."""
    end = _BLOCK
    for one in described(source):
        end = one.offset + one.length
    yield from after(source, end, scope)
