"""Compressed streams as sources: expanded window by window, never whole in memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Final, Protocol

from buttress.probes.artifacts.source import MAX_READ, ExpansionError, Meter, Source

_INPUT: Final = 1 << 16
_OUTPUT: Final = 1 << 18
_WINDOW: Final = 16 << 20
_LZMA_MEMORY: Final = 80 << 20  # dictionaries of xz -9 take 65 MB
_LZMA_INNER: Final = 12 << 20  # for a stream inside another such stream


class _Decoder(Protocol):
    def feed(self, data: bytes) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    @property
    def hungry(self) -> bool: ...
    @property
    def unused(self) -> bytes: ...


class _Zlib:
    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)

    def feed(self, data: bytes) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, _OUTPUT)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def hungry(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused(self) -> bytes:
        return self._inner.unused_data


class _Bounded:
    """bz2 and lzma decompressors share one interface."""

    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner = inner

    def feed(self, data: bytes) -> bytes:
        return self._inner.decompress(data, _OUTPUT)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def hungry(self) -> bool:
        return self._inner.needs_input

    @property
    def unused(self) -> bytes:
        return self._inner.unused_data


CODECS: Final[dict[str, Callable[[int], _Decoder]]] = {
    "deflate": lambda _: _Zlib(-zlib.MAX_WBITS),
    "zlib": lambda _: _Zlib(zlib.MAX_WBITS),
    "gzip": lambda _: _Zlib(zlib.MAX_WBITS | 16),
    "bz2": lambda _: _Bounded(bz2.BZ2Decompressor()),
    "xz": lambda memory: _Bounded(lzma.LZMADecompressor(lzma.FORMAT_XZ, memory)),
    "lzma": lambda memory: _Bounded(lzma.LZMADecompressor(lzma.FORMAT_ALONE, memory)),
}
_CONCATENATED: Final = {"gzip", "bz2", "xz"}


class Decompressed:
    """The bytes that come out of a compressed source.

    Reading forward keeps the last 16 MB; reading further back starts again, and what comes out
    counts again, so that no order of reads costs more than the meter allows. A stream that turns
    out to be broken simply ends there, with ``error`` set: what came before may still be loaded.
    """

    whole = False

    def __init__(self, packed: Source, codec: str, meter: Meter) -> None:
        self._packed = packed
        self._codec = codec
        self._meter = meter
        self._memory = _LZMA_MEMORY if meter.lzma_streams == 0 else _LZMA_INNER
        self.error: str | None = None
        self._restart()

    def _restart(self) -> None:
        self._decoder = CODECS[self._codec](self._memory)
        self._consumed = 0
        self._start = 0
        self._window = bytearray()
        self._ended = False

    @property
    def size(self) -> int:
        """Expanded length; expands everything."""
        while self._more():
            pass
        return self._start + len(self._window)

    def read_at(self, offset: int, count: int) -> bytes:
        """As ``Source``."""
        if offset < 0:
            return b""
        if offset < self._start:
            self._restart()
        count = min(count, MAX_READ)
        while self._start + len(self._window) < offset + count and self._more(keep=offset):
            pass
        begin = offset - self._start
        return bytes(self._window[begin : begin + count])

    def _more(self, keep: int | None = None) -> bool:
        """Expand one step; drop what lies more than a window back, but nothing from ``keep`` on."""
        if self._ended:
            return False
        data = b""
        if self._decoder.hungry:
            data = self._packed.read_at(self._consumed, _INPUT)
            self._consumed += len(data)
        try:
            piece = self._decoder.feed(data)
        except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError) as error:
            self._ended = True
            self.error = f"the compressed stream is broken ({error})"
            if "memory" in str(error).lower():  # it may well load where there is more of it
                raise ExpansionError("decompressing it takes too much memory") from None
            return False
        if not (data or piece or self._decoder.eof) and self._decoder.hungry:
            self._ended = True
            self.error = "the compressed stream is cut short"
            return False
        self._meter.expand(len(piece))
        self._window += piece
        surplus = len(self._window) - _WINDOW
        if surplus > 0:
            end = self._start + len(self._window)
            surplus = min(surplus, len(self._window) if keep is None else keep - self._start)
            if surplus > 0:
                del self._window[:surplus]
                self._start = end - len(self._window)
        if self._decoder.eof:
            self._next_stream()
        return True

    def _next_stream(self) -> None:
        """gzip, bz2 and xz files may hold several streams in a row, which readers join."""
        position = self._consumed - len(self._decoder.unused)
        if self._codec in _CONCATENATED:
            head = self._packed.read_at(position, 6)
            signatures = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
            if head.startswith(signatures):
                self._decoder = CODECS[self._codec](self._memory)
                self._consumed = position
                return
        self._ended = True
