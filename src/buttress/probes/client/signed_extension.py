"""Signed browser extensions (CRX, version 3): signatures in front of a ZIP archive."""

from __future__ import annotations

from typing import Final

from buttress.files.byte_source import ByteSource
from buttress.files.protobuf_wire import WireError

MAGIC: Final = b"Cr24"
_VERSION: Final = 3
_FIXED: Final = 12  # bytes in front of the header
_MAX_HEADER: Final = 1 << 20


def archive_start(source: ByteSource) -> int:
    """Offset of the ZIP archive.

    Raises:
        WireError: the header is of another version, or larger than is read.
    """
    head = source.read_at(0, _FIXED)
    version, length = int.from_bytes(head[4:8], "little"), int.from_bytes(head[8:12], "little")
    if version != _VERSION:
        raise WireError(4, f"a browser extension in format {version}, of which 3 is read")
    if length > min(_MAX_HEADER, source.size):
        raise WireError(8, "the header of the extension is longer than the file, or than 1 MiB")
    return _FIXED + length
