"""Programs and shared libraries, by their first bytes."""

from __future__ import annotations

import struct

from buttress.probes.artifacts.source import Source


def is_program(source: Source, head: bytes) -> bool:
    """ELF, Mach-O or Windows PE."""
    if head.startswith((b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")):
        return True
    if head.startswith(b"MZ") and len(head) >= 64:
        where = struct.unpack("<I", head[60:64])[0]
        return source.read_at(where, 4) == b"PE\0\0"
    return False
