"""Files as they are or in gzip, Zstandard, xz or bzip2, as a stream of bytes."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from buttress.errors import MissingExtraError

_PIECE: Final = 2 << 10  # compressed bytes at once: bounds what a bomb can expand to
# Large corpora are packed with --long=31. Memory is used as the file has been read, not before.
_WINDOW: Final = 1 << 31
_MAGIC: Final = {
    ".gz": b"\x1f\x8b\x08",
    ".zst": b"\x28\xb5\x2f\xfd",
    ".xz": b"\xfd7zXZ\0",
}  # bzip2 begins with letters
_TEXT: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[][\t\n\r -\x7e]*")


def opened(file: Path) -> IO[bytes]:
    """The bytes of a file, decompressed where its name or its first bytes say so.

    Text under a name such as ``x.jsonl.gz`` is read as it is: some clients unpack what they fetch
    and keep the name.

    Raises:
        MissingExtraError: it is Zstandard, which isn't installed.
    """
    suffix = _form(file)
    if suffix == ".gz":
        return io.BufferedReader(_Decompressed(file, _gzip_member), 1 << 20)
    if suffix == ".zst":
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("reading .zst files", "data") from None

        def frame() -> Any:
            return zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()

        return io.BufferedReader(_Decompressed(file, frame, zstandard.ZstdError), 1 << 20)
    if suffix == ".xz":
        return io.BufferedReader(
            _Decompressed(file, lzma.LZMADecompressor, lzma.LZMAError), 1 << 20
        )
    if suffix == ".bz2":
        return io.BufferedReader(_Decompressed(file, bz2.BZ2Decompressor, OSError), 1 << 20)
    return file.open("rb")


def _form(file: Path) -> str:
    """The ending under which such content stands; that of the name where the bytes don't say."""
    with file.open("rb") as stream:
        first = stream.read(16)
    for suffix, magic in _MAGIC.items():
        if first.startswith(magic):
            return suffix
    return "" if _TEXT.fullmatch(first) else file.suffix.lower()


def _gzip_member() -> Any:
    return zlib.decompressobj(wbits=31)


class _Decompressed(io.RawIOBase):
    """Decompresses all frames of a file; what stands before an error is read first."""

    def __init__(
        self, file: Path, make: Callable[[], Any], error: type[Exception] = zlib.error
    ) -> None:
        self._file = file.open("rb")
        self._make = make
        self._error = error
        self._frame: Any = None
        self._begun = False
        self._ready = b""
        self._compressed = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """As ``io.RawIOBase``.

        Raises:
            ValueError: another format, damaged or truncated.
        """
        while not self._ready:
            if not self._compressed:
                self._compressed = self._file.read(_PIECE)
                if not self._compressed:
                    if self._frame is not None:
                        raise ValueError("the compressed data ends too early")
                    return 0
            if self._frame is None:
                if self._begun and not self._compressed.strip(b"\0"):
                    self._compressed = b""  # padding behind the last frame
                    continue
                self._frame = self._make()
                self._begun = True
            try:
                self._ready = self._frame.decompress(self._compressed)
            except self._error as error:
                raise ValueError(f"damaged or in another format ({error})") from None
            self._compressed = b""
            if self._frame.eof:
                self._compressed = bytes(self._frame.unused_data)
                self._frame = None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
