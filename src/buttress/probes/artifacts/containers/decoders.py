"""Decompressors under one interface: each step gives a bounded amount, whatever went in."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final, Protocol

OUTPUT: Final = 1 << 18  # bytes of one step, about
_GZIP_HEADER: Final = 1 << 17  # extra field, name and comment
_GZIP_TRAILER: Final = 8  # checksum and length
_ZSTD_INPUT: Final = 512  # at most 128 KB come out of four bytes, so at most 16 MB of a step
_ZSTD_WINDOW: Final = 1 << 25
_FILTER_LZMA1: Final = 0x4000000000000001  # lzma.FILTER_LZMA1


class Decoder(Protocol):
    """What turns packed bytes into plain ones. Raises ``ValueError`` or what the module raises."""

    def feed(self, data: bytes) -> bytes:
        """Take packed bytes, give plain ones; to be called again while not ``hungry``."""
        ...

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def hungry(self) -> bool:
        """Whether it can't go on without more packed bytes."""
        ...

    @property
    def unused(self) -> bytes:
        """What was taken beyond the end."""
        ...


class _Zlib:
    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)

    def feed(self, data: bytes) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, OUTPUT)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def hungry(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused(self) -> bytes:
        return self._inner.unused_data


class _Gzip:
    """As Python's own reader: what was expanded counts, the checksum is looked at afterwards.

    ``zlib`` would take back the last piece where the checksum is wrong, and with it all of a small
    file; readers have loaded it by then. The trailer is not compared.
    """

    def __init__(self) -> None:
        self._inner = _Zlib(-zlib.MAX_WBITS)
        self._head: bytes | None = b""  # None once the header is passed
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        if self._head is not None:
            self._head += data
            length = _gzip_header(self._head)
            if length is None:
                if not data:
                    raise EOFError("its header is cut short")
                return b""
            data, self._head = self._head[length:], None
        if self._inner.eof:
            self._tail += data
            return b""
        return self._inner.feed(data)

    @property
    def eof(self) -> bool:
        return self._inner.eof and len(self._inner.unused) + len(self._tail) >= _GZIP_TRAILER

    @property
    def hungry(self) -> bool:
        return self._inner.hungry and not self.eof

    @property
    def unused(self) -> bytes:
        return (self._inner.unused + self._tail)[_GZIP_TRAILER:]


def _gzip_header(head: bytes) -> int | None:
    """Length of the header (RFC 1952, section 2.3), None where ``head`` is too short to tell.

    Raises:
        ValueError: there is none, or it is longer than is read.
    """
    if len(head) < 10:
        return None
    if not head.startswith(b"\x1f\x8b\x08"):
        raise ValueError("it has no header of gzip")
    flags, at = head[3], 10
    if flags & 4:
        if len(head) < 12:
            return None
        at = 12 + int.from_bytes(head[10:12], "little")
    for flag in (8, 16):  # the file's name, a comment
        if flags & flag:
            end = head.find(b"\0", at)
            if end < 0:
                if len(head) > _GZIP_HEADER:
                    raise ValueError("its header has no end")
                return None
            at = end + 1
    at += 2 if flags & 2 else 0
    return at if len(head) >= at else None


class _Bounded:
    """The decompressors of bz2, lzma and lz4 share one interface."""

    def __init__(self, inner: Any, broken: type[Exception] = RuntimeError) -> None:
        self._inner = inner
        self._broken = broken

    def feed(self, data: bytes) -> bytes:
        try:
            plain: bytes = self._inner.decompress(data, OUTPUT)
        except self._broken as error:
            raise ValueError(str(error)) from None
        return plain

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def hungry(self) -> bool:
        return bool(self._inner.needs_input)

    @property
    def unused(self) -> bytes:
        return self._inner.unused_data or b""


class _Zstd:
    """Its decompressor can't be told how much to give, so it gets little at a time."""

    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._inner = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self._pending = b""

    def feed(self, data: bytes) -> bytes:
        self._pending += data
        step, self._pending = self._pending[:_ZSTD_INPUT], self._pending[_ZSTD_INPUT:]
        try:
            return self._inner.decompress(step)
        except self._error as error:
            raise ValueError(str(error)) from None

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def hungry(self) -> bool:
        return not self._pending

    @property
    def unused(self) -> bytes:
        return self._inner.unused_data + self._pending


def _lz4(_memory: int) -> Decoder:
    import lz4.frame  # type: ignore[import-not-found, unused-ignore]

    return _Bounded(lz4.frame.LZ4FrameDecompressor())


def _bz2(_memory: int) -> Decoder:
    import bz2  # with lzma, a good part of the time that a small file takes

    return _Bounded(bz2.BZ2Decompressor())


def _xz(memory: int) -> Decoder:
    import lzma

    return _Bounded(lzma.LZMADecompressor(lzma.FORMAT_XZ, memory), lzma.LZMAError)


def _lzma(memory: int) -> Decoder:
    import lzma

    return _Bounded(lzma.LZMADecompressor(lzma.FORMAT_ALONE, memory), lzma.LZMAError)


def raw_lzma(filters: list[dict[str, int]]) -> Callable[[int], Decoder]:
    """Makes decoders of a stream without a header, as 7z and zip hold it.

    Raises:
        ValueError: the filters contradict each other.
    """

    def make(memory: int) -> Decoder:
        import lzma

        if any(one.get("dict_size", 0) > memory for one in filters):
            raise ValueError("memory usage limit was exceeded")
        try:
            inner = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        except lzma.LZMAError as error:
            raise ValueError(str(error)) from None
        return _Bounded(inner, lzma.LZMAError)

    return make


def lzma_filter(properties: bytes) -> dict[str, int]:
    """The LZMA filter that five bytes describe (lzma-specification.txt, section 1.1)."""
    first = properties[0]
    return {
        "id": _FILTER_LZMA1,
        "lc": first % 9,
        "lp": first // 9 % 5,
        "pb": min(first // 45, 4),
        "dict_size": max(int.from_bytes(properties[1:5], "little"), 4096),
    }


CODECS: Final[dict[str, Callable[[int], Decoder]]] = {
    "deflate": lambda _: _Zlib(-zlib.MAX_WBITS),
    "zlib": lambda _: _Zlib(zlib.MAX_WBITS),
    "gzip": lambda _: _Gzip(),
    "bz2": _bz2,
    "xz": _xz,
    "lzma": _lzma,
    "zstd": lambda _: _Zstd(),
    "lz4": _lz4,
}
_NEEDS: Final = {"zstd": "zstandard", "lz4": "lz4"}
SIGNATURES: Final = {  # of streams that may follow each other in one file
    "gzip": (b"\x1f\x8b",),
    "bz2": (b"BZh",),
    "xz": (b"\xfd7zXZ\x00",),
    "zstd": (b"\x28\xb5\x2f\xfd",),
    "lz4": (b"\x04\x22\x4d\x18",),
}


def missing(codec: str) -> str | None:
    """The package that reading it takes and that is not installed."""
    package = _NEEDS.get(codec)
    return package if package is not None and find_spec(package) is None else None
