"""Single compressed streams: gzip, zlib, bzip2, xz and lzma, as joblib writes them too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from buttress.probes.artifacts.containers.decompress import Decompressed
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope
from buttress.probes.artifacts.source import Slice, Source

_UNREAD: Final = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
_LZMA: Final = frozenset(("xz", "lzma"))
_OLD_JOBLIB_HEADER: Final = 2 + len(hex(2**64))  # "ZF" and the expanded length in hexadecimal


def matches(_source: Source, head: bytes) -> bool:
    """By the signature of the compression."""
    return _codec(head) is not None or head.startswith(tuple(_UNREAD))


def _codec(head: bytes) -> str | None:
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
        return "bz2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if head.startswith(b"\x5d\x00\x00") and len(head) > 13:
        return "lzma"
    if head.startswith(b"ZF0x"):
        return "joblib"
    if head[0] == 0x78 and len(head) > 2 and (head[0] << 8 | head[1]) % 31 == 0:
        return "zlib"
    return None


def inspect(source: Source, scope: Scope) -> Iterator[Issue]:
    """Examine what comes out."""
    codec = _codec(source.read_at(0, 16))
    if codec is None:
        name = next(name for sign, name in _UNREAD.items() if source.read_at(0, 6).startswith(sign))
        scope.leave_out(f"{name} is not read")
        return
    packed: Source = source
    if codec == "joblib":
        packed = Slice(source, _OLD_JOBLIB_HEADER, source.size - _OLD_JOBLIB_HEADER)
        codec = "zlib"
    meter = scope.tally.meter
    inner = Decompressed(packed, codec, meter)
    meter.lzma_streams += codec in _LZMA
    yield from scope.child(codec).descend(inner)
    meter.lzma_streams -= codec in _LZMA
    if inner.error is not None and (codec != "zlib" or inner.read_at(0, 1)):
        scope.leave_out(inner.error)
