"""Programs, shared libraries and scripts, by their first bytes."""

from __future__ import annotations

import re
from typing import Final

from buttress.files.byte_source import ByteSource

_MACH_O: Final = (
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xfe\xed\xfa\xcf",
    b"\xfe\xed\xfa\xce",
)
_FAT: Final = (b"\xca\xfe\xba\xbe", b"\xbe\xba\xfe\xca")
_MAX_SLICES: Final = 20  # of a macOS program; a Java class has its version there, from 43 on
_DEX: Final = re.compile(rb"dex\n0[0-9]{2}\0")
WASM: Final = b"\0asm\1\0\0\0"
_SCRIPT: Final = re.compile(rb"#![ \t]*/[\x20-\x7e]+(?:\r?\n|\Z)")


def is_program(source: ByteSource, head: bytes) -> bool:
    """Whether it is machine code: ELF, Mach-O, Windows PE or Android's DEX."""
    if head.startswith((b"\x7fELF", *_MACH_O)) or _DEX.match(head):
        return True
    if head.startswith(_FAT) and len(head) >= 8:
        slices = int.from_bytes(head[4:8], "big" if head[0] == 0xCA else "little")
        return 0 < slices < _MAX_SLICES
    if head.startswith(b"MZ") and len(head) >= 64:
        where = int.from_bytes(head[60:64], "little")
        return source.read_at(where, 4) == b"PE\0\0"
    return False


def runs(source: ByteSource, head: bytes) -> bool:
    """Whether anything could start it: a program, WebAssembly, or a script with its interpreter."""
    return is_program(source, head) or head.startswith(WASM) or bool(_SCRIPT.match(head))
