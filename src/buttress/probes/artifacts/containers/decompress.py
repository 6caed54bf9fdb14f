"""Compressed streams as sources: expanded window by window, never whole in memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

from buttress.files.byte_source import MAX_READ, ByteSource, ExpansionError, ResourceMeter
from buttress.probes.artifacts.containers.decoders import CODECS, SIGNATURES, Decoder

_INPUT: Final = 1 << 16
_WINDOW: Final = 16 << 20
_PADDED: Final = ("gzip", "xz")  # readers pass over zeros between streams
_LZMA_MEMORY: Final = 80 << 20  # dictionaries of xz -9 take 65 MB
_LZMA_INNER: Final = 12 << 20  # for a stream inside another such stream


class Decompressed:
    """The bytes that come out of a compressed source.

    Reading forward keeps the last 16 MB; reading further back starts again, and what comes out
    counts again, so that no order of reads costs more than the meter allows. A stream that turns
    out to be broken simply ends there, with ``error`` set: what came before may still be loaded.
    """

    whole = False

    def __init__(
        self,
        packed: ByteSource,
        codec: str,
        meter: ResourceMeter,
        make: Callable[[int], Decoder] | None = None,
    ) -> None:
        self._packed = packed
        self._codec = codec
        self._make = make or CODECS[codec]
        self._meter = meter
        self._memory = _LZMA_MEMORY if meter.lzma_streams == 0 else _LZMA_INNER
        self.error: str | None = None
        self._restart()

    def _restart(self) -> None:
        self._decoder: Decoder | None = None
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
        """As ``ByteSource``."""
        if offset < 0:
            return b""
        if offset < self._start:
            self._restart()
        count = min(count, MAX_READ)
        while self._start + len(self._window) < offset + count and self._more(keep=offset):
            pass
        begin = offset - self._start
        return bytes(self._window[begin : begin + count])

    def swell(self, ratio: int) -> None:
        """Expand on for as long as ``ratio`` bytes come out for each that went in.

        Raises:
            ExpansionError: more came out than is allowed.
        """
        while self._more():
            hungry = self._decoder is None or self._decoder.hungry
            if hungry and self._start + len(self._window) < ratio * self._consumed:
                return

    def end(self, most: int) -> int | None:
        """Where in the packed source the last stream ends; None where that is not known.

        ``most``: bytes that may still come out on the way there.
        """
        begin = self._meter.expanded
        while not self._ended and self._meter.expanded - begin < most:
            self._more()
        if not self._ended or self.error is not None or self._decoder is None:
            return None
        return self._consumed - len(self._decoder.unused)

    def _more(self, keep: int | None = None) -> bool:
        """Expand one step; drop what lies more than a window back, but nothing from ``keep`` on."""
        if self._ended:
            return False
        data = b""
        try:
            decoder = self._decoder = self._decoder or self._make(self._memory)
            if decoder.hungry:
                data = self._packed.read_at(self._consumed, _INPUT)
                self._consumed += len(data)
            piece = decoder.feed(data)
        except (zlib.error, OSError, EOFError, ValueError) as error:
            self._ended = True
            self.error = f"the compressed stream is broken ({error})"
            if "memory" in str(error).lower():  # it may well load where there is more of it
                raise ExpansionError("decompressing it takes too much memory") from None
            return False
        if not (data or piece or decoder.eof) and decoder.hungry:
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
        if decoder.eof:
            self._next_stream(decoder)
        return True

    def _next_stream(self, done: Decoder) -> None:
        """Some files hold several streams in a row, which readers join."""
        position = self._consumed - len(done.unused)
        signatures = SIGNATURES.get(self._codec)
        if self._codec in _PADDED:
            while (data := self._packed.read_at(position, _INPUT)) and not data.strip(b"\0"):
                position += len(data)
            position += len(data) - len(data.lstrip(b"\0"))
        if signatures and self._packed.read_at(position, 6).startswith(signatures):
            self._decoder = None
            self._consumed = position
        else:
            self._ended = True
