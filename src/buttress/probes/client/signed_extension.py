"""Signed browser extensions (CRX, versions 2 and 3): signatures in front of a ZIP archive."""

from __future__ import annotations

from typing import Final

from buttress.files.byte_source import ByteSource
from buttress.files.protobuf_wire import WireError

MAGIC: Final = b"Cr24"
_FIXED: Final = {2: 16, 3: 12}  # bytes in front of the header
_MAX_HEADER: Final = 1 << 20


def archive_start(source: ByteSource) -> int:
    """Offset of the ZIP archive.

    Raises:
        WireError: the header is of another version, or larger than is read.
    """
    head = source.read_at(0, 16)
    version, length, signature = (int.from_bytes(head[at : at + 4], "little") for at in (4, 8, 12))
    if version not in _FIXED:
        raise WireError(4, f"a browser extension in format {version}, of which 2 and 3 are read")
    if version == 2:  # a key and a signature, each with its length
        length += signature
    if length > min(_MAX_HEADER, source.size):
        raise WireError(8, "the header of the extension is longer than the file, or than 1 MiB")
    return _FIXED[version] + length
