"""Single compressed streams: gzip, zlib, bzip2, xz, lzma, zstd and lz4, as joblib writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.files.byte_source import ByteSource, Slice
from buttress.probes.artifacts.containers.decoders import missing
from buttress.probes.artifacts.containers.decompress import Decompressed
from buttress.probes.artifacts.formats.appended import after
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_UNREAD: Final = {b"Rar!\x1a\x07": "rar", b"MSCF\0\0\0\0": "cab"}
_BOMB_RATIO: Final = 200  # of a stream that is followed for what it expands to
_MOST: Final = 16 << 20  # bytes that are expanded to see where a stream ends
_LZMA: Final = frozenset(("xz", "lzma"))
_OLD_JOBLIB_HEADER: Final = 2 + len(hex(2**64))  # "ZF" and the expanded length in hexadecimal


def matches(_source: ByteSource, head: bytes) -> bool:
    """By the signature of the compression."""
    return _codec(head) is not None or head.startswith(tuple(_UNREAD))


def _codec(head: bytes) -> str | None:
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
        return "bz2"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    if head.startswith(b"\x04\x22\x4d\x18"):
        return "lz4"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if head.startswith(b"\x5d\x00\x00") and len(head) > 13:
        return "lzma"
    if head.startswith(b"ZF0x"):
        return "joblib"
    if head[0] == 0x78 and len(head) > 2 and (head[0] << 8 | head[1]) % 31 == 0:
        return "zlib"
    return None


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Examine what comes out."""
    codec = _codec(source.read_at(0, 16))
    if codec is None:
        head = source.read_at(0, 8)
        name = next(name for sign, name in _UNREAD.items() if head.startswith(sign))
        scope.record_skip(f"{name} is not read")
        return
    if (package := missing(codec)) is not None:
        scope.record_skip(f"{codec} is not read without the package {package}")
        return
    packed: ByteSource = source
    if codec == "joblib":
        packed = Slice(source, _OLD_JOBLIB_HEADER, source.size - _OLD_JOBLIB_HEADER)
        codec = "zlib"
    meter = scope.tally.meter
    inner = Decompressed(packed, codec, meter)
    meter.lzma_streams += codec in _LZMA
    yield from scope.child(codec).descend(inner)
    if source.whole and (end := inner.end(_MOST)) is not None:
        at = end + (source.size - packed.size)
        yield from after(source, at, scope, unexplained="low")
    inner.swell(_BOMB_RATIO)
    meter.lzma_streams -= codec in _LZMA
    if inner.error is not None and (codec != "zlib" or inner.read_at(0, 1)):
        scope.record_skip(inner.error)
