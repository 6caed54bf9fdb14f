"""Facts about programs of clients: code that a store has encrypted, fuses of Electron."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_MACH_O: Final = {b"\xcf\xfa\xed\xfe": 32, b"\xce\xfa\xed\xfe": 28}  # magic -> bytes of the header
_FAT: Final = b"\xca\xfe\xba\xbe"
_ENCRYPTION: Final = (0x21, 0x2C)  # LC_ENCRYPTION_INFO and that of 64 bits (Apple, loader.h)
_MAX_COMMANDS: Final = 4_000
_MAX_SLICES: Final = 20

# @electron/fuses: the mark, the version of the list, its length, and a character for each.
FUSE_MARK: Final = b"dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX"
_ON: Final = ord("1")
_OFF: Final = ord("0")
# number -> whether it should be on, and what it means where it is not so
_FUSES: Final = {
    0: (False, "RunAsNode is on: the program runs any script as Node.js"),
    2: (False, "EnableNodeOptionsEnvironmentVariable is on: the environment adds code to it"),
    3: (False, "EnableNodeCliInspectArguments is on: a debugger can be attached to it"),
    4: (True, "EnableEmbeddedAsarIntegrityValidation is off: changed code starts unnoticed"),
    5: (True, "OnlyLoadAppFromAsar is off: code beside the archive is run in its place"),
}


def is_encrypted(head: bytes) -> bool:
    """Whether the store has encrypted a Mach-O program's code (cryptid is 1), by its head."""
    return any(_slice_encrypted(head, at) for at in _slices(head))


def _slices(head: bytes) -> Iterator[int]:
    if head.startswith(_FAT) and len(head) >= 8:
        (count,) = struct.unpack_from(">I", head, 4)
        for index in range(min(count, _MAX_SLICES)):
            at = 8 + 20 * index
            if at + 12 <= len(head):
                yield struct.unpack_from(">I", head, at + 8)[0]
    else:
        yield 0


def _slice_encrypted(head: bytes, start: int) -> bool:
    length = _MACH_O.get(head[start : start + 4])
    if length is None or start + length > len(head):
        return False
    (count,) = struct.unpack_from("<I", head, start + 16)
    at = start + length
    for _ in range(min(count, _MAX_COMMANDS)):
        if at + 8 > len(head):
            return False
        command, size = struct.unpack_from("<II", head, at)
        if command in _ENCRYPTION and at + 20 <= len(head):
            return bool(struct.unpack_from("<I", head, at + 16)[0])
        if size < 8:
            return False
        at += size
    return False


def fuses(wire: bytes) -> list[str]:
    """What is wrong with the fuses of an Electron program.

    Args:
        wire: its bytes from ``FUSE_MARK`` on.
    """
    at = len(FUSE_MARK)
    if len(wire) < at + 2:
        return []
    states = wire[at + 2 : at + 2 + wire[at + 1]]
    return [
        said
        for number, (wanted, said) in _FUSES.items()
        if number < len(states) and states[number] == (_OFF if wanted else _ON)
    ]
