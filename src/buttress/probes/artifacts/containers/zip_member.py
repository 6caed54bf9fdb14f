"""The content of a zip archive's member, decompressed as it is read."""

from __future__ import annotations

from typing import Final

from buttress.files import zip_reader
from buttress.files.byte_source import ByteSource, Slice
from buttress.files.zip_reader import Local, Member
from buttress.probes.artifacts.containers.decoders import lzma_filter, missing, raw_lzma
from buttress.probes.artifacts.containers.decompress import Decompressed
from buttress.probes.artifacts.scope import Scope

_CODECS: Final = {8: "deflate", 12: "bz2", 20: "zstd", 93: "zstd", 95: "xz"}
_LZMA: Final = 14


def open_member(
    source: ByteSource, member: Member, local: Local, scope: Scope
) -> ByteSource | None:
    """The member's bytes, None where the compression is not known."""
    length = max(member.packed, local.packed if not local.flags & 8 else 0)
    if member.method == zip_reader.STORED:
        return Slice(source, local.data, max(length, member.expanded))
    packed = Slice(source, local.data, length)
    if member.method == _LZMA:  # APPNOTE 5.8.8: two bytes of version, two of length, properties
        properties = packed.read_at(4, 5)
        if len(properties) < 5:
            return None
        make = raw_lzma([lzma_filter(properties)])
        return Decompressed(Slice(packed, 9, length - 9), "lzma", scope.tally.meter, make)
    codec = _CODECS.get(member.method)
    if codec is None or missing(codec):
        return None
    return Decompressed(packed, codec, scope.tally.meter)
